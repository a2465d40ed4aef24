import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** glibc gives each thread a heap of its own and keeps what was freed there: a third of what uploads add. */
const FEW_HEAPS = { MALLOC_ARENA_MAX: '2' };
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** Ctrl-C comes from the terminal and once more from npm: within this time it is one wish. */
const SAME_WISH_MS = 500;

/**
 * Runs a program of the project and returns its exit code. The child has a process group of its own, so
 * that a signal reaches it once, from here; it learns of our death by its closed channel.
 */
export function run(program, args, { cwd = process.cwd(), nodeFlags = [] } = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...nodeFlags, join(root, program), ...args], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      cwd,
      env: { ...FEW_HEAPS, ...process.env },
      detached: true,
    });
    const stopForwarding = forwardSignals(child);
    const end = (code) => {
      stopForwarding();
      resolve(code);
    };
    child.once('error', (error) => {
      process.stderr.write(`${error.message}\n`);
      end(1);
    });
    child.once('exit', (code, signal) => end(code ?? 128 + constants.signals[signal]));
  });
}

function forwardSignals(child) {
  let last = 0;
  const forward = (signal) => {
    if (Date.now() - last < SAME_WISH_MS) return;
    last = Date.now();
    child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, forward);
  return () => SIGNALS.forEach((signal) => process.off(signal, forward));
}

/** Runs an installer or a compiler. Its output goes to standard error: standard output is the command's. */
export function prepare(command, args, failure) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 2, 2], cwd: root });
    child.once('error', (error) => reject(new Error(`${failure} (${error.message})`)));
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(failure))));
  });
}
