import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { WebhookSecrets } from './webhook-secrets.js';

describe(WebhookSecrets.name, () => {
  let test: TestDatabase;
  let secrets: WebhookSecrets;
  let userId: string;

  beforeAll(async () => {
    test = await createTestDatabase();
    secrets = new WebhookSecrets(test.database, 'k'.repeat(32));
  });
  afterAll(() => test.close());
  beforeEach(() => {
    userId = randomUUID();
  });

  it('makes one when it is first asked for, also by many at once, and another for each account', async () => {
    const views = await Promise.all(Array.from({ length: 10 }, () => secrets.current(userId)));
    expect(new Set(views.map(({ secret }) => secret)).size).toBe(1);
    expect(views[0]).toEqual({
      secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/), created_at: expect.any(Date), previous_expires_at: null,
    });
    expect((await secrets.current(randomUUID())).secret).not.toBe(views[0]!.secret);
    expect(await secrets.signing(userId)).toEqual([views[0]!.secret]);
  });

  it('has the one before sign along for a day', async () => {
    const { secret: old } = await secrets.current(userId);
    const rotated = await secrets.rotate(userId);
    const hours = (rotated.previous_expires_at!.getTime() - Date.now()) / 3_600_000;
    expect(hours).toBeCloseTo(24, 1);
    expect(await secrets.signing(userId)).toEqual([rotated.secret, old]);
    await test.database.query(
      `update webhook_secret set expires_at = now() - interval '1 second' where user_id = $1 and expires_at is not null`,
      [userId],
    );
    expect(await secrets.signing(userId)).toEqual([rotated.secret]);
    expect((await secrets.current(userId)).previous_expires_at).toBeNull();
  });

  it('keeps one current when it is rotated several times at once, and loses none that was told', async () => {
    const { secret: told } = await secrets.current(userId);
    const views = await Promise.all(Array.from({ length: 4 }, () => secrets.rotate(userId)));
    const signing = await secrets.signing(userId);
    expect(signing[0]).toBe((await secrets.current(userId)).secret);
    expect(signing).toEqual(expect.arrayContaining([told, ...views.map(({ secret }) => secret)]));
  });

  it('is sealed at rest, for its own account', async () => {
    const { secret } = await secrets.current(userId);
    const [row] = await test.database.query<{ sealed: Buffer }>(
      'select sealed from webhook_secret where user_id = $1', [userId],
    );
    expect(row!.sealed.includes(Buffer.from(secret))).toBe(false);
    const thief = randomUUID();
    await test.database.query('insert into webhook_secret (user_id, sealed) values ($1, $2)', [thief, row!.sealed]);
    await expect(secrets.current(thief)).rejects.toThrow();
  });
});
