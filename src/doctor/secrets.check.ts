import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '#libs/config/environment.js';
import { fail, ok, warn, type Check, type Finding } from './check.js';

const MAKE_ONE = 'Make one with `openssl rand -hex 32`.';
const OTHERS_MAY = 0o077;

/** Says of secrets whether they are there and long enough: never what they are. */
export const secretsCheck: Check = {
  name: 'Secrets',
  examine: async ({ environment, home }) => [
    ...judgeSecrets(environment),
    ...judgeFile(join(home, 'secrets.json')),
  ],
};

export function judgeSecrets(environment: Environment): Finding[] {
  const { JWT_SECRET, JWT_JWKS_URL, PLATEN_MASTER_KEY, NODE_ENV } = environment;
  const isThere = (name: 'JWT_SECRET' | 'PLATEN_MASTER_KEY'): Finding => {
    if (environment[name]) return ok(`${name} is set`);
    if (NODE_ENV !== 'production') return ok(`${name} is made and kept in PLATEN_HOME`);
    return fail(`${name} is not set`, `In production it must be. ${MAKE_ONE}`);
  };
  return [
    JWT_JWKS_URL ? ok('tokens are judged by JWT_JWKS_URL') : isThere('JWT_SECRET'),
    isThere('PLATEN_MASTER_KEY'),
    ...(JWT_SECRET && JWT_SECRET === PLATEN_MASTER_KEY
      ? [warn('JWT_SECRET and PLATEN_MASTER_KEY are the same', `Who learns one has both. ${MAKE_ONE}`)] : []),
    ...judgeWebhooks(environment),
  ];
}

function judgeWebhooks(environment: Environment): Finding[] {
  const { REPLICATE_API_TOKEN, REPLICATE_WEBHOOK_SECRET, ALLOW_UNSIGNED_WEBHOOKS, PUBLIC_URL, NODE_ENV } = environment;
  const findings: Finding[] = [];
  if (ALLOW_UNSIGNED_WEBHOOKS) {
    const judge = NODE_ENV === 'production' ? fail : warn;
    findings.push(judge('ALLOW_UNSIGNED_WEBHOOKS takes webhooks of anybody', 'Unset it, and set REPLICATE_WEBHOOK_SECRET.'));
  }
  if (REPLICATE_WEBHOOK_SECRET && !REPLICATE_WEBHOOK_SECRET.startsWith('whsec_')) {
    findings.push(fail('REPLICATE_WEBHOOK_SECRET is not one of Replicate\'s', 'Theirs begin with whsec_.'));
  } else if (REPLICATE_API_TOKEN && PUBLIC_URL && !REPLICATE_WEBHOOK_SECRET) {
    findings.push(warn('REPLICATE_WEBHOOK_SECRET is not set', 'Predictions are asked after instead of reported: set it to hear of them at once.'));
  } else if (REPLICATE_WEBHOOK_SECRET) findings.push(ok('REPLICATE_WEBHOOK_SECRET is set'));
  return findings;
}

function judgeFile(file: string): Finding[] {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode;
  if (mode === undefined || (mode & OTHERS_MAY) === 0) return [];
  return [fail(`${file} can be read by others`, `chmod 600 ${file}`)];
}
