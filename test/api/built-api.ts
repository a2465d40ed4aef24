import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueToken } from '#libs/identity/access-tokens.js';
import { Program } from '../e2e/program.js';
import { JWT_SECRET, type TestApi } from '../setup/api.js';
import { createTestDatabase } from '../setup/database.js';

export interface BuiltApi extends TestApi {
  /** Starts a worker beside it. */
  startWorker(): Promise<void>;
}

/**
 * The API as it is built and started by its users, in a process of its own. Its documentation is written
 * by the compiler: an API that was compiled otherwise, as tests are, would describe no types.
 */
export async function startBuiltApi(variables: Record<string, string> = {}): Promise<BuiltApi> {
  const { database, url: databaseUrl, close: closeDatabase } = await createTestDatabase();
  const home = await mkdtemp(join(tmpdir(), 'platen-built-'));
  const environment = {
    PORT: '0', PLATEN_HOME: home, DATABASE_URL: databaseUrl, LOG_LEVEL: 'error', JWT_SECRET,
    PLATEN_MASTER_KEY: 'a master key of the tests, long enough', ...variables,
  };
  const programs = [new Program(['api'], environment)];
  return {
    url: await programs[0]!.prints(/^The API is ready at (\S+)$/m),
    database,
    databaseUrl,
    home,
    as: (userId, role = 'user') => ({
      authorization: `Bearer ${issueToken(JWT_SECRET, { sub: userId, role })}`,
    }),
    startWorker: async () => {
      const worker = new Program(['worker'], environment);
      programs.push(worker);
      await worker.prints(/^The worker is (ready)$/m);
    },
    close: async () => {
      await Promise.all(programs.map((program) => program.end('SIGTERM')));
      await closeDatabase();
      await rm(home, { recursive: true });
    },
  };
}
