import { randomInt } from 'node:crypto';
import { Command } from 'commander';
import { startBuiltApi } from '../api/built-api.js';
import { Contract } from '../api/contract.js';
import { useTestServers } from '../setup/use-servers.js';
import { serveDrafts } from './drafts.js';
import { fuzz, FUZZED_API, routeClasses, type FuzzReport } from './fuzz.js';

/** Classes at once: each sends its requests one after another. */
const AT_ONCE = 4;
const LARGEST_SEED = 2 ** 30;

interface Options {
  requests: number;
  seed: number;
}

await new Command('fuzz')
  .description('requests made of our own OpenAPI, sound and hostile: none may fail us, all are answered as documented')
  .argument('[classes...]', 'first parts of paths, e.g. jobs; all, unless named')
  .option('--requests <number>', 'for each class of routes', Number, 10_000)
  .option('--seed <number>', 'repeat an earlier run', Number, randomInt(LARGEST_SEED))
  .action(run)
  .parseAsync();
process.exit();

async function run(names: string[], { requests, seed }: Options): Promise<void> {
  const stopServers = await useTestServers();
  const api = await startBuiltApi(FUZZED_API);
  const stopDrafts = await serveDrafts(api.databaseUrl);
  process.stdout.write(`Seed ${seed}, ${requests} requests for each class of routes\n`);
  const contract = await Contract.of(api.url);
  const waiting = [...routeClasses()].filter(([name]) => names.length === 0 || names.includes(name));
  const reports: FuzzReport[] = [];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [routeClass, routes] = next;
      reports.push(await fuzz(api, contract, { routeClass, routes, requests, seed }));
      process.stdout.write(told(reports.at(-1) as FuzzReport));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  await stopDrafts();
  await api.close();
  await stopServers();
  if (reports.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
}

function told({ routeClass, requests, outcomes, failures }: FuzzReport): string {
  const counts = [...outcomes].sort(([, a], [, b]) => b - a).map(([outcome, count]) => `${outcome} × ${count}`);
  return [`\n/${routeClass}: ${requests} requests, ${failures.length} failures`, `  ${counts.join(', ')}`, ...failures.map((each) => `  ✕ ${each}`), ''].join('\n');
}
