import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { jest } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { decrypt, encrypt } from './aes-gcm.js';
import { createKeyManagement } from './index.js';
import { KeyUnavailable } from './key-management.js';
import { describeKeyManagement } from './key-management.contract.js';
import { LocalKeyManagement } from './local.key-management.js';
import { VaultKeyManagement } from './vault.key-management.js';

const TOKEN = 'hvs.token';
const keys = new Map<string, Buffer>([['one', randomBytes(32)], ['two', randomBytes(32)]]);
let answerMs = 0;

/** The two calls of the transit engine, as its documentation has them. */
const server: Server = createServer((request, response) => {
  void (async () => {
    const [, verb, name] = /^\/v1\/transit\/(encrypt|decrypt)\/(\w+)$/.exec(request.url ?? '') ?? [];
    const { plaintext, ciphertext, associated_data: owner } = (await json(request)) as Record<string, string>;
    const refuse = (status: number) => response.writeHead(status).end('{"errors":["secret detail"]}');
    const key = keys.get(name ?? '');
    if (request.headers['x-vault-token'] !== TOKEN) return refuse(403);
    if (!key || !owner) return refuse(404);
    try {
      const data = verb === 'encrypt'
        ? { ciphertext: `vault:v1:${encrypt(key, plaintext!, owner).toString('base64')}`, key_version: 1 }
        : { plaintext: decrypt(key, Buffer.from(ciphertext!.slice('vault:v1:'.length), 'base64'), owner).toString() };
      setTimeout(() => response.end(JSON.stringify({ request_id: 'x', data })), answerMs);
    } catch {
      refuse(400);
    }
  })();
});
const addressOf = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
const vault = (differs = {}, former?: LocalKeyManagement) =>
  new VaultKeyManagement({ address: addressOf(), token: TOKEN, key: 'one', ...differs }, former);

beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'));
afterAll(() => void server.close().closeAllConnections());

describeKeyManagement('VaultKeyManagement', () => vault(), () => vault({ key: 'two' }, vault() as never));

describe(VaultKeyManagement.name, () => {
  it('takes over what a master key of the configuration has wrapped', async () => {
    const local = new LocalKeyManagement(['l'.repeat(32)]);
    const dataKey = randomBytes(32);
    expect(await vault({}, local).unwrap(await local.wrap(dataKey, 'owner'), 'owner')).toEqual(dataKey);
    await expect(vault().unwrap(await local.wrap(dataKey, 'owner'), 'owner')).rejects.toThrow(KeyUnavailable);
  });

  it.each([
    ['another token', { token: 'hvs.other' }], ['an unknown key', { key: 'three' }],
    ['an address where nobody is', { address: 'http://127.0.0.1:1' }],
  ])('is unavailable with %s, and repeats nothing of what it is told', async (_what, differs) => {
    const failure = await vault(differs).wrap(randomBytes(32), 'owner').catch((error: KeyUnavailable) => error) as KeyUnavailable;
    expect(failure).toBeInstanceOf(KeyUnavailable);
    expect(`${failure.message} ${failure.reason}`).not.toMatch(/secret detail|hvs/);
  });

  it('is not waited for long', async () => {
    answerMs = 2_000;
    try {
      await expect(vault({ timeoutMs: 100 }).wrap(randomBytes(32), 'owner')).rejects.toThrow(KeyUnavailable);
    } finally {
      answerMs = 0;
    }
  });

  it('is asked again only after a while when it did not answer', async () => {
    answerMs = 2_000;
    const slow = vault({ timeoutMs: 100 });
    const wrapping = () => slow.wrap(randomBytes(32), 'owner');
    const clock = jest.spyOn(Date, 'now');
    try {
      await expect(wrapping()).rejects.toThrow(KeyUnavailable);
      answerMs = 0;
      await expect(wrapping()).rejects.toMatchObject({ reason: expect.stringContaining('just now') });
      clock.mockReturnValue(performance.timeOrigin + performance.now() + 10_000);
      expect(await wrapping()).toMatchObject({ masterKey: 'vault:one' });
    } finally {
      answerMs = 0;
      clock.mockRestore();
    }
  });

  it('is what KEY_MANAGEMENT=vault configures', async () => {
    const management = createKeyManagement({
      KEY_MANAGEMENT: 'vault', VAULT_ADDR: addressOf(), VAULT_TOKEN: TOKEN, VAULT_TRANSIT_KEY: 'two',
      PLATEN_MASTER_KEY: 'l'.repeat(32), PLATEN_OLD_MASTER_KEYS: [],
    })!;
    const dataKey = randomBytes(32);
    expect(management.masterKey).toBe('vault:two');
    expect(await management.unwrap(await management.wrap(dataKey, 'owner'), 'owner')).toEqual(dataKey);
  });
});
