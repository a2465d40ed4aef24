import { createHash, randomUUID } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { FastifyRequest } from 'fastify';
import { insufficientCredits } from '#libs/errors/errors.js';
import { testSeal } from '../../../test/factories/keys.js';
import { createTestDatabase, type TestDatabase } from '../../../test/setup/database.js';
import type { Answer } from './envelope.js';
import { Idempotency } from './idempotency.js';
import type { Caller } from './policy.js';

const PATIENCE_MS = 200;

describe(Idempotency.name, () => {
  let test: TestDatabase;
  /** Two processes. */
  let here: Idempotency;
  let there: Idempotency;
  let caller: Caller;

  beforeAll(async () => {
    test = await createTestDatabase();
    const seal = testSeal('kept answers');
    here = new Idempotency(test.database, seal, PATIENCE_MS);
    there = new Idempotency(test.database, seal, PATIENCE_MS);
  });
  afterAll(() => test.close());
  beforeEach(() => {
    caller = { userId: randomUUID(), role: 'user' };
  });

  const requestOf = ({
    key = 'a-key' as unknown, body = { a: 1 } as unknown, url = '/things', params = {},
  } = {}) => ({
    method: 'POST', params, query: {}, body, headers: { 'idempotency-key': key }, routeOptions: { url },
  }) as unknown as FastifyRequest;

  /** Runs the request; its effect is a project of the caller. */
  const run = (request = requestOf(), { at = here, by = caller, then = async () => {} } = {}) =>
    at.run(request, by, async () => 'a name', async (tx, name) => {
      const [project] = await tx.query(
        'insert into project (id, user_id, name) values ($1, $2, $3) returning id',
        [randomUUID(), by.userId, name],
      );
      await then();
      return project;
    });
  const effects = async () =>
    (await test.database.query('select 1 from project where user_id = $1', [caller.userId])).length;
  const age = (interval: string) =>
    test.database.query('update idempotency_key set created_at = now() - $2::interval where user_id = $1', [
      caller.userId, interval,
    ]);

  it('keeps of a request what no guess can be compared with, and knows it after a rotation of keys', async () => {
    const first = await run();
    const [{ fingerprint } = { fingerprint: '' }] = await test.database.query<{ fingerprint: string }>(
      'select fingerprint from idempotency_key where user_id = $1', [caller.userId],
    );
    const guess = canonicalize({ params: {}, query: {}, body: { a: 1 } }) as string;
    expect(fingerprint).not.toBe(createHash('sha256').update(guess).digest('hex'));
    const rotated = new Idempotency(test.database, testSeal('kept answers', 'a newer master key of the tests'), PATIENCE_MS);
    expect(await run(requestOf(), { at: rotated })).toMatchObject({ text: first.text, replayed: true });
  });

  it('answers the same text again, marked as a replay, wherever it is asked', async () => {
    const first = await run();
    expect(first).toMatchObject({ status: 201, replayed: false });
    for (const at of [here, there]) {
      expect(await run(requestOf(), { at })).toMatchObject({ status: 201, text: first.text, replayed: true });
    }
    expect(await effects()).toBe(1);
  });

  it('takes bodies for the same whose members stand in another order', async () => {
    const first = await run(requestOf({ body: { a: 1, b: { c: 2, d: 3 } } }));
    expect((await run(requestOf({ body: { b: { d: 3, c: 2 }, a: 1 } }))).text).toBe(first.text);
  });

  it.each([
    ['body', { body: { a: 2 } }],
    ['body, by its order', { body: { a: [2, 1] } }],
    ['path', { params: { id: '2' } }],
  ])('refuses another %s under the same key', async (_what, differs) => {
    await run(requestOf({ body: { a: [1, 2] } }));
    await expect(run(requestOf({ body: { a: [1, 2] }, ...differs }))).rejects.toMatchObject({
      status: 422, code: 'IDEMPOTENCY_KEY_REUSED',
    });
    expect(await effects()).toBe(1);
  });

  it('keeps the keys of users and of routes apart', async () => {
    await run();
    expect(await run(requestOf({ url: '/others' }))).toMatchObject({ replayed: false });
    const by = { ...caller, userId: randomUUID() };
    expect(await run(requestOf(), { by })).toMatchObject({ replayed: false });
  });

  it.each<{ key: unknown }>([
    { key: '' }, { key: 'a key' }, { key: 'é' }, { key: '\u0007' }, { key: 'k'.repeat(256) }, { key: ['a', 'b'] },
  ])('refuses the key of %j', async ({ key }) => {
    await expect(run(requestOf({ key }))).rejects.toMatchObject({
      status: 400, details: [{ field: 'Idempotency-Key' }],
    });
    expect(await effects()).toBe(0);
  });

  it('takes a key of 255 characters', async () => {
    expect(await run(requestOf({ key: 'k'.repeat(255) }))).toMatchObject({ status: 201 });
  });

  it('keeps nothing of a failure, so that the same key can be tried again', async () => {
    const then = () => Promise.reject(new Error('too late'));
    await expect(run(requestOf(), { then })).rejects.toThrow('too late');
    expect(await effects()).toBe(0);
    expect(await run()).toMatchObject({ replayed: false });
    expect(await effects()).toBe(1);
  });

  it('forgets after 24 hours', async () => {
    const first = await run();
    await age('23 hours 59 minutes');
    expect((await run()).text).toBe(first.text);
    await age('24 hours 1 second');
    const second = await run(requestOf({ body: 'another' }));
    expect(second).toMatchObject({ replayed: false });
    expect(await run(requestOf({ body: 'another' }))).toMatchObject({ text: second.text, replayed: true });
    expect(await effects()).toBe(2);
  });

  it('prunes what is forgotten, and nothing else', async () => {
    await here.prune();
    await run(requestOf({ key: 'old' }));
    await age('25 hours');
    await run(requestOf({ key: 'new' }));
    expect(await here.prune()).toBe(1);
    expect(await run(requestOf({ key: 'new' }))).toMatchObject({ replayed: true });
  });

  describe('while the first still runs', () => {
    let end: () => void;
    let first: ReturnType<typeof run>;

    beforeEach(async () => {
      await new Promise<void>((begun) => {
        const ended = new Promise<void>((resolve) => (end = resolve));
        first = run(requestOf(), { then: () => (begun(), ended) });
      });
    });
    afterEach(async () => {
      end();
      await first;
    });

    it.each([['the same process', () => here], ['another process', () => there]])(
      'answers 409 from %s when that takes too long',
      async (_where, at) => {
        const start = performance.now();
        await expect(run(requestOf(), { at: at() })).rejects.toMatchObject({
          status: 409, code: 'IDEMPOTENCY_IN_PROGRESS',
        });
        expect(performance.now() - start).toBeGreaterThanOrEqual(PATIENCE_MS - 10);
        expect(performance.now() - start).toBeLessThan(PATIENCE_MS * 40);
      },
    );

    it.each([['the same process', () => here], ['another process', () => there]])(
      'gives its answer at %s when it ends in time',
      async (_where, at) => {
        const twin = run(requestOf(), { at: at() });
        setTimeout(end, PATIENCE_MS / 4);
        expect(await twin).toMatchObject({ text: (await first).text, replayed: true });
        expect(await effects()).toBe(1);
      },
    );
  });

  describe('of what is written in one statement, answer included', () => {
    /** As `run`; `before` holds up the statement, or refuses. */
    const runAtOnce = (at: Idempotency, before: () => Promise<void> = async () => {}, request = requestOf()) =>
      at.runAtOnce(request, caller, async () => 'a name', async (name, keep) => {
        await before();
        const project = { id: randomUUID() };
        const { userId } = caller;
        await test.database.query(PROJECT_AND_ANSWER, [project.id, userId, name, JSON.stringify(keep(project))]);
        return project;
      });

    it('answers the same text again, wherever it is asked', async () => {
      const first = await runAtOnce(here);
      expect(first).toMatchObject({ status: 201, replayed: false });
      for (const at of [here, there]) {
        expect(await runAtOnce(at)).toMatchObject({ status: 201, text: first.text, replayed: true });
      }
      expect(await effects()).toBe(1);
    });

    it('gives a twin in another process the answer of the one that was first', async () => {
      let first!: Answer;
      const twin = await runAtOnce(there, async () => void (first = await runAtOnce(here)));
      expect(twin).toMatchObject({ text: first.text, replayed: true });
      expect(await effects()).toBe(1);
    });

    it('gives it also to a twin that is refused what the first one took', async () => {
      let first!: Answer;
      const twin = await runAtOnce(there, async () => {
        first = await runAtOnce(here);
        throw insufficientCredits({ required: 1, available: 0, cost_breakdown: {} });
      });
      expect(twin).toMatchObject({ text: first.text, replayed: true });
    });

    it('keeps nothing of a failure', async () => {
      const fail = () => Promise.reject(new Error('too late'));
      await expect(runAtOnce(here, fail)).rejects.toThrow('too late');
      expect(await runAtOnce(there)).toMatchObject({ replayed: false });
    });

    it('refuses a twin in another process that asks for something else', async () => {
      const other = requestOf({ body: { a: 2 } });
      const twin = runAtOnce(there, async () => void (await runAtOnce(here)), other);
      await expect(twin).rejects.toMatchObject({ status: 422 });
    });

    it('forgets after 24 hours', async () => {
      const first = await runAtOnce(here);
      await age('24 hours 1 second');
      const second = await runAtOnce(there);
      expect(second).toMatchObject({ replayed: false });
      expect(second.text).not.toBe(first.text);
    });
  });
});

const PROJECT_AND_ANSWER = `
  with project_row as (insert into project (id, user_id, name) values ($1, $2, $3))
  insert into idempotency_key (user_id, route, key, fingerprint, status, body)
  select $2, a.route, a.key, a.fingerprint, a.status, a.body
    from jsonb_to_record($4::jsonb) as a (route text, key text, fingerprint text, status integer, body text)`;
