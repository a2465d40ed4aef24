import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Argument, Command, Option } from 'commander';
import { findOrInstallRedis } from '../setup/redis-program.js';
import { PrivatePostgres } from './harness/private-postgres.js';
import { reportOf, tableOf } from './harness/report.js';
import { runStorm, type StormReport } from './harness/run-storm.js';
import { BACKENDS, type Backend, type Scenario } from './harness/scenario.js';
import { scenarios } from './scenarios/index.js';

interface Options {
  tenth: boolean;
  seed: number;
  backend?: Backend;
}

const NAMES = scenarios.map(({ name }) => name);
const LARGEST_SEED = 2 ** 31;

const program = new Command('chaos')
  .description('storms over real processes: kills, outages, faults, and an audit of what is left')
  .addArgument(new Argument('[storms...]', 'all, unless named').choices(NAMES))
  .option('--tenth', 'a tenth of the harm, as in CI', false)
  .option('--seed <number>', 'repeat the choices of an earlier run', Number, randomInt(LARGEST_SEED))
  .addOption(new Option('--backend <name>', 'only with this queue').choices([...BACKENDS]));

await program.action((names: string[], options: Options) => chaos(names, options)).parseAsync();
// What a broken storm has left waiting must not keep the command alive.
process.exit();

async function chaos(names: string[], options: Options): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'platen-chaos-'));
  // Where Postgres must run as nobody, nobody has to get through.
  await chmod(folder, 0o711);
  process.stdout.write(`Seed ${options.seed}\n`);
  const postgres = await PrivatePostgres.start(join(folder, 'postgres'));
  const reports: StormReport[] = [];
  const chosen = scenarios.filter(({ name }) => names.length === 0 || names.includes(name));
  for (const scenario of chosen) {
    for (const backend of backendsOf(scenario, options)) {
      process.stdout.write(`\n… ${scenario.name} on ${backend}\n`);
      const size = options.tenth ? 'tenth' : 'full';
      const report = await runStorm(scenario, {
        backend, size, seed: options.seed, postgres, folder,
        onProgress: (line) => process.stdout.write(`  ${line}\n`),
      });
      reports.push(report);
      process.stdout.write(reportOf(report));
    }
  }
  await postgres.stop();
  process.stdout.write(`\n${tableOf(reports)}`);
  if (reports.every(({ verdict }) => verdict.length === 0)) rmSync(folder, { recursive: true, force: true });
  else process.exitCode = 1;
}

function backendsOf({ backends = BACKENDS }: Scenario, { backend }: Options): Backend[] {
  const wanted = backends.filter((name) => backend === undefined || name === backend);
  if (findOrInstallRedis() !== undefined) return wanted;
  return wanted.filter((name) => name !== 'redis');
}
