import { writeFileSync } from 'node:fs';
import type { Profiler } from 'node:inspector';
import type { Platen } from '../platen.js';
import { cpuReport } from './cpu-report.js';
import { Statements } from './statements.js';

/**
 * Runs `work` once to warm up and once more to see what its time goes to: the statements that Postgres ran,
 * and the processor time of each process. The profiles themselves are left in the current folder, for
 * `chrome://inspect` or any other viewer.
 */
export async function profile(subject: string, platen: Platen, work: () => Promise<unknown>): Promise<string> {
  await work();
  const statements = new Statements(platen.rows);
  const before = await generationsOf(platen);
  await statements.reset();
  for (const one of platen.processes.values()) await one.ask({ profile: 'start' });
  await work();
  const units = (await generationsOf(platen)) - before;
  const reports = [`${units} generations`, await statements.report(units)];
  for (const [name, one] of platen.processes) {
    const found = await one.ask<Profiler.Profile>({ profile: 'stop' });
    writeFileSync(`${subject}-${name}.cpuprofile`, JSON.stringify(found));
    reports.push(cpuReport(name, found, units));
  }
  return reports.join('\n\n');
}

async function generationsOf({ rows }: Platen): Promise<number> {
  const { rows: [found] } = await rows.query<{ count: number }>('select count(*)::int as count from generation');
  return found?.count ?? 0;
}
