import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { randomStream } from '#libs/instruction-set/random.js';
import { audit, type AuditReport } from './audit.js';
import { PrivatePostgres } from './private-postgres.js';
import type { Backend, Scenario, Size } from './scenario.js';
import { Storm, type Figure } from './storm.js';
import { Town } from './town.js';

export interface StormOptions {
  backend: Backend;
  size: Size;
  seed: number;
  /** For storms that leave it alone; the others start their own. */
  postgres: PrivatePostgres;
  /** Gets a folder per storm; those of failed ones stay, with the logs of all processes. */
  folder: string;
  /** Told every 15 seconds what has been done so far. */
  onProgress?: (line: string) => void;
}

export interface StormReport {
  scenario: string;
  promise: string;
  backend: Backend;
  size: Size;
  seed: number;
  seconds: number;
  done: Record<string, number>;
  /** Crash points, with the number of processes that died there; faults of the proxies likewise. */
  hits: Record<string, number>;
  figures: Record<string, Figure>;
  audit: AuditReport | null;
  /** Why it failed; empty when all promises were kept. */
  verdict: string[];
  logs: string | null;
}

const PROGRESS_MS = 15_000;

/** Runs one scenario on one backend, audits what is left, and ends every process it has started. */
export async function runStorm(scenario: Scenario, options: StormOptions): Promise<StormReport> {
  const { backend, size, seed } = options;
  const startedAt = Date.now();
  const folder = join(options.folder, `${scenario.name}-${backend}`);
  const random = randomStream(`${seed}`, `${scenario.name}/${backend}/proxies`);
  const postgres = scenario.stopsPostgres ? await PrivatePostgres.start(join(folder, 'postgres')) : options.postgres;
  const town = await Town.found({ backend, postgres, folder, random });
  const storm = new Storm({ scenario: scenario.name, backend, size, seed, town });
  let found: AuditReport | null = null;
  const progress = setInterval(() => options.onProgress?.(progressOf(storm, startedAt)), PROGRESS_MS);
  try {
    await scenario.run(storm);
    found = await auditTown(storm);
  } catch (error) {
    storm.fault(`It broke off: ${error instanceof Error ? error.stack : String(error)}`);
  }
  clearInterval(progress);
  const verdict = [...storm.verdict(), ...(found?.violations ?? []).map(told)];
  const hits = { ...Object.fromEntries(storm.crashPoints.hits()), ...proxyHits(town) };
  const logs = verdict.length > 0 ? town.keepLogs() : null;
  await town.close();
  await storm.end();
  if (scenario.stopsPostgres) await postgres.stop();
  if (!logs) rmSync(folder, { recursive: true, force: true });
  return {
    scenario: scenario.name, promise: scenario.promise, backend, size, seed, hits, verdict, logs, audit: found,
    seconds: (Date.now() - startedAt) / 1_000,
    done: Object.fromEntries(storm.done),
    figures: Object.fromEntries(storm.figures),
  };
}

function progressOf({ done, crashPoints }: Storm, startedAt: number): string {
  const hits = [...crashPoints.hits()].filter(([, count]) => count > 0).length;
  const counts = [...done].map(([what, count]) => `${what} ${count}`).join(', ');
  return `${Math.round((Date.now() - startedAt) / 1_000)} s: ${counts || 'starting'}; ${hits} crash points hit`;
}

function auditTown({ town, receipts, files }: Storm): Promise<AuditReport> {
  return town.withClient((database) => audit({ database, files, ...(receipts && { accepted: receipts }) }));
}

const told = ({ rule, subject, found }: AuditReport['violations'][number]) => `AUDIT ${rule}: ${subject}, ${found}`;

/** What the proxies did, where they did anything. */
function proxyHits(town: Town): Record<string, number> {
  const ways = { postgres: town.postgresWay, ...(town.hasRedis && { redis: town.redisWay }) };
  return Object.fromEntries(
    Object.entries(ways).flatMap(([name, { hits }]) =>
      Object.entries(hits).filter(([, count]) => count > 0).map(([kind, count]) => [`${name} ${kind}`, count]),
    ),
  );
}
