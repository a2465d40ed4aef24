// Asks the process of this container how it is: `node deploy/probe.mjs live|ready`. A worker answers on
// WORKER_PORT, an API on PORT; in a container there is one of them.
const { PORT = '3000', WORKER_PORT = '3001' } = process.env;
const TIMEOUT_MS = 4_000;
const [, , probe = 'live'] = process.argv;

const answers = await Promise.all([PORT, WORKER_PORT].map(ask));
process.exitCode = answers.includes(true) ? 0 : 1;

async function ask(port) {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    return (await fetch(`http://127.0.0.1:${port}/health/${probe}`, { signal })).ok;
  } catch {
    return false;
  }
}
