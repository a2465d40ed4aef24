import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atRest, buildPatient } from '../../test/factories/patient.js';
import { secretsCheck } from './secrets.check.js';

const [SECRET, OTHER] = ['s'.repeat(32), 'm'.repeat(32)];

const against = async (variables: Record<string, string>) => {
  const findings = await secretsCheck.examine(buildPatient(variables), atRest);
  expect(JSON.stringify(findings)).not.toContain(SECRET);
  return findings.filter(({ verdict }) => verdict !== 'ok').map(({ verdict, text }) => `${verdict} ${text}`);
};

it('finds nothing against secrets that are set, and none missing in development', async () => {
  expect(await against({ NODE_ENV: 'production', JWT_SECRET: SECRET, PLATEN_MASTER_KEY: OTHER })).toEqual([]);
  expect(await against({})).toEqual([]);
});

it.each([
  [{ NODE_ENV: 'production' }, ['fail JWT_SECRET is not set', 'fail PLATEN_MASTER_KEY is not set']],
  [{ JWT_SECRET: SECRET, PLATEN_MASTER_KEY: SECRET }, ['warn JWT_SECRET and PLATEN_MASTER_KEY are the same']],
  [{ REPLICATE_WEBHOOK_SECRET: SECRET }, ["fail REPLICATE_WEBHOOK_SECRET is not one of Replicate's"]],
  [{ REPLICATE_API_TOKEN: SECRET, PUBLIC_URL: 'https://art.example' }, ['warn REPLICATE_WEBHOOK_SECRET is not set']],
  [{ ALLOW_UNSIGNED_WEBHOOKS: 'true' }, ['warn ALLOW_UNSIGNED_WEBHOOKS takes webhooks of anybody']],
])('judges %j', async (variables, findings) => {
  expect(await against(variables as Record<string, string>)).toEqual(findings);
});

it('finds secrets on disk that others can read', async () => {
  const home = mkdtempSync(join(tmpdir(), 'platen-doctor-'));
  writeFileSync(join(home, 'secrets.json'), '{}', { mode: 0o600 });
  expect(await against({ PLATEN_HOME: home })).toEqual([]);
  chmodSync(join(home, 'secrets.json'), 0o644);
  expect(await against({ PLATEN_HOME: home })).toEqual([expect.stringContaining('can be read by others')]);
  rmSync(home, { recursive: true });
});
