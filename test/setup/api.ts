import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApi } from '#apps/api/main.js';
import { loadEnvironment } from '#libs/config/environment.js';
import type { Database } from '#libs/database/database.js';
import type { Role } from '#libs/identity/caller.js';
import { issueToken } from '#libs/identity/access-tokens.js';
import { createTestDatabase } from './database.js';

export const JWT_SECRET = 'a secret of the tests, long enough';
export const MASTER_KEY = 'a master key of the tests, long enough';

export interface TestApi {
  url: string;
  database: Database;
  databaseUrl: string;
  /** `PLATEN_HOME`: storage and spool are in it. */
  home: string;
  /** Headers of a request by this user. */
  as(userId: string, role?: Role): { authorization: string };
  close(): Promise<void>;
}

export interface FirstTestApi extends TestApi {
  /** Another process on the same database and files. */
  another(variables?: Record<string, string>): Promise<TestApi>;
}

/** The whole API on a free port, with a database and a folder of its own. */
export async function startTestApi(variables: Record<string, string> = {}): Promise<FirstTestApi> {
  const { database, url: databaseUrl, close: closeDatabase } = await createTestDatabase();
  const home = await mkdtemp(join(tmpdir(), 'platen-api-'));
  const api = await startApi(
    loadEnvironment({
      NODE_ENV: 'test', PORT: '0', LOG_LEVEL: 'error', PLATEN_HOME: home, DATABASE_URL: databaseUrl,
      JWT_SECRET, PLATEN_MASTER_KEY: MASTER_KEY, V1_WAIT_SECONDS: '0',
      RERENDER_WAIT_SECONDS: '0', ...variables,
    }),
  );
  return {
    url: api.url,
    database,
    databaseUrl,
    home,
    another: (differs = {}) =>
      startTestApi({ ...variables, DATABASE_URL: databaseUrl, STORAGE_PATH: join(home, 'storage'), ...differs }),
    as: (userId, role = 'user') => ({
      authorization: `Bearer ${issueToken(JWT_SECRET, { sub: userId, role })}`,
    }),
    close: async () => {
      await api.close();
      await closeDatabase();
      await rm(home, { recursive: true });
    },
  };
}
