import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { testRedisUrl } from '../setup/redis.js';
import { isInTurn } from '../setup/turn.js';
import { Processes, type Place, type Variables } from './processes.js';

export type { Api } from './processes.js';

// Tests that start processes take seconds; on a busy machine, many.
jest.setTimeout(90_000);

/** Processes of one test file, with a database and a folder of its own. */
export class PlatenProcesses extends Processes {
  private constructor(
    place: Place,
    private readonly testDatabase: TestDatabase,
  ) {
    super(place);
  }

  /** Starts no process yet. */
  static async prepare(variables: Variables = {}): Promise<PlatenProcesses> {
    const folder = mkdtempSync(join(tmpdir(), 'platen-processes-'));
    const database = await createTestDatabase();
    return new PlatenProcesses({ databaseUrl: database.url, folder, variables }, database);
  }

  /** Leaves nothing behind. */
  override async close(): Promise<void> {
    await super.close();
    await this.testDatabase.close();
    rmSync(this.place.folder, { recursive: true, force: true });
  }
}

/**
 * Runs `tests` with queue and events carried by Postgres, and by Redis; a run of all tests takes one of them, in turn.
 * A database of Redis of one's own is not needed: a foreign wake-up or hint does no harm.
 */
export function describeWithEachBackend(name: string, tests: (variables: Variables) => void): void {
  const REDIS_URL = testRedisUrl();
  const backends: Record<string, Variables> = { 'Postgres alone': {}, ...(REDIS_URL && { Redis: { REDIS_URL } }) };
  for (const [backend, variables] of Object.entries(backends)) {
    const describeInTurn = isInTurn(backend, Object.keys(backends)) ? describe : describe.skip;
    describeInTurn(`${name}, with ${backend}`, () => tests(variables));
  }
  if (!REDIS_URL) describe.skip(`${name}, with Redis (skipped: this machine has none)`, () => tests({}));
}
