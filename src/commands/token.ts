import { v7 as uuid } from 'uuid';
import { Ledger } from '#libs/credits/ledger.js';
import { toMicroCredits } from '#libs/credits/micro-credits.js';
import { Plans } from '#libs/credits/plans.js';
import { Database } from '#libs/database/database.js';
import { SecretTokens } from '#libs/identity/access-tokens.js';
import { Accounts } from '#libs/identity/accounts.js';
import type { Role } from '#libs/identity/caller.js';
import { CommandFailure } from '../command-failure.js';
import { connect, loadInstallation, type Connected } from '../installation.js';
import { assertMigrated, withDataSource } from '../schema.js';

export interface TokenOptions {
  sub: string;
  role: Role;
  credits?: number;
  plan?: string;
}

/** `platen token`: prints nothing but the token, so that a script can take it. */
export async function token(options: TokenOptions): Promise<void> {
  process.stdout.write(`${await issueToken(connect(loadInstallation()), options)}\n`);
}

/** Makes the account, sets its plan, grants the credits and issues a token. */
export async function issueToken(
  environment: Connected,
  { sub, role, credits, plan }: TokenOptions,
): Promise<string> {
  if (environment.JWT_JWKS_URL || !environment.JWT_SECRET) {
    throw new CommandFailure('Tokens come from the identity provider of JWT_JWKS_URL.');
  }
  const plans = new Plans(environment);
  if (plan !== undefined && !plans.has(plan)) throw new CommandFailure(`There is no plan "${plan}".`);
  await withDataSource(environment.DATABASE_URL, async (source) => {
    await assertMigrated(source);
    const database = new Database(source);
    const accounts = new Accounts(database, plans);
    await (plan === undefined ? accounts.planOf(sub) : accounts.setPlan(sub, { plan }));
    if (credits !== undefined) await grant(database, sub, credits);
  });
  return new SecretTokens(environment.JWT_SECRET).issue({ sub, role });
}

function grant(database: Database, userId: string, credits: number): Promise<void> {
  const key = `token:${uuid()}:grant`;
  const movement = { amount: toMicroCredits(credits), key, description: 'platen token' };
  return database.transaction((tx) => new Ledger().grant(tx, userId, movement));
}
