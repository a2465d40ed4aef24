import { tmpdir } from 'node:os';
import { loadEnvironment } from '#libs/config/environment.js';
import type { Patient } from '../../src/doctor/check.js';

/** An installation as these variables make it, of which nothing runs. */
export function buildPatient(variables: Record<string, string> = {}): Patient {
  const environment = loadEnvironment({ NODE_ENV: 'test', PLATEN_HOME: tmpdir(), ...variables });
  return { environment, home: environment.PLATEN_HOME, databaseUrl: environment.DATABASE_URL, redisUrl: environment.REDIS_URL };
}

export const atRest = new AbortController().signal;
