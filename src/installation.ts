import { loadEnvironment, type Environment } from '#libs/config/environment.js';
import { CommandFailure } from './command-failure.js';
import { PlatenHome, type Secrets } from './platen-home.js';

/** The configuration that a command works with. */
export interface Installation {
  /** As configured, with the secrets filled in. */
  environment: Environment;
  home: PlatenHome;
}

/** An environment whose database is known. */
export type Connected = Environment & { DATABASE_URL: string };

/**
 * Reads the variables. Secrets that are not configured are those kept in PLATEN_HOME, made when needed;
 * in production they must be configured.
 */
export function loadInstallation(variables: NodeJS.ProcessEnv = process.env): Installation {
  const environment = loadEnvironment(variables);
  const home = new PlatenHome(environment.PLATEN_HOME);
  const missing = missingSecrets(environment);
  if (missing.length > 0 && environment.NODE_ENV === 'production') {
    throw new CommandFailure(`In production these must be set: ${missing.join(', ')}.`);
  }
  const secrets = missing.length > 0 ? home.secrets() : undefined;
  for (const name of missing) environment[name] = secrets?.[name];
  environment.PLATEN_HOME = home.folder;
  return { environment, home };
}

/** The environment with a database: the configured one, else that of the Platen that runs from PLATEN_HOME. */
export function connect({ environment, home }: Installation): Connected {
  const { DATABASE_URL } = environment;
  if (DATABASE_URL) return { ...environment, DATABASE_URL };
  const running = home.running();
  if (!running) {
    const hint = 'set DATABASE_URL, or run `npm start`';
    throw new CommandFailure(`There is no database: ${hint}. (Nothing runs from ${home.folder}.)`);
  }
  const REDIS_URL = environment.REDIS_URL ?? running.redisUrl;
  return { ...environment, DATABASE_URL: running.databaseUrl, REDIS_URL };
}

function missingSecrets(environment: Environment): Array<keyof Secrets> {
  const needed: Array<keyof Secrets> = ['JWT_SECRET', 'PLATEN_MASTER_KEY'];
  // Tokens of an identity provider are not signed with a secret of ours.
  const unused = environment.JWT_JWKS_URL ? 'JWT_SECRET' : undefined;
  return needed.filter((name) => name !== unused && environment[name] === undefined);
}
