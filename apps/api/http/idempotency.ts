import canonicalize from 'canonicalize';
import type { FastifyRequest } from 'fastify';
import { sqlState, type Database, type Transaction } from '#libs/database/database.js';
import type { Seal } from '#libs/encryption/seal.js';
import { AppError } from '#libs/errors/app-error.js';
import { fieldError, idempotencyInProgress, idempotencyKeyReused } from '#libs/errors/errors.js';
import type { KeptAnswer } from '#libs/submission/kept-answer.js';
import { Answer, successEnvelope } from './envelope.js';
import type { Caller } from './policy.js';

/** How long a twin waits for the first call before it is told to come back. */
const PATIENCE_MS = 10_000;
const LOCK_NOT_AVAILABLE = '55P03';
const UNIQUE_VIOLATION = '23505';
const PRUNED_AT_ONCE = 10_000;
/** What a sealed answer begins with. */
const SEALED = '$enc:';

export interface RunOptions {
  /** Status of a success. */
  status?: number;
  /** What makes two requests the same; default the body. For multipart: fields and file digests. */
  fingerprint?: unknown;
  /** Its answer may tell of an encrypted collection: it is kept sealed. */
  sealed?: boolean;
}

/** One request under its `Idempotency-Key`: unique per user, route and key. */
interface KeyedRequest {
  userId: string;
  route: string;
  key: string;
  /** A digest that nobody can try guesses on: a request may tell of an encrypted collection. */
  fingerprint: string;
  /** The same under former master keys. */
  former: string[];
}

interface StoredAnswer {
  fingerprint: string;
  status: number;
  body: string;
}

/**
 * Runs creating requests once per `Idempotency-Key`, user and route, for 24 hours. The key's row, the
 * effect and the answer's text commit in one transaction, so there is never one without the others; a
 * failure of any kind frees the key.
 */
export class Idempotency {
  /** Running requests of this process: twins join them here instead of each holding a connection. */
  private readonly running = new Map<string, { fingerprint: string; answer: Promise<Answer> }>();

  constructor(
    private readonly database: Database,
    private readonly seal: Seal,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /**
   * `prepare` reads and checks, outside any transaction; `commit` writes, and gives `data` of the
   * envelope. Without a key: prepare, then commit in a transaction.
   * Throws 400 (key), 409 `IDEMPOTENCY_IN_PROGRESS`, 422 `IDEMPOTENCY_KEY_REUSED`, or what they throw.
   */
  async run<Prepared, Data>(
    request: FastifyRequest,
    caller: Caller,
    prepare: () => Promise<Prepared>,
    commit: (tx: Transaction, prepared: Prepared) => Promise<Data>,
    { status = 201, fingerprint = request.body, sealed = false }: RunOptions = {},
  ): Promise<Answer> {
    const key = keyOf(request);
    const answerOf = async (tx: Transaction, prepared: Prepared) =>
      new Answer(status, JSON.stringify(successEnvelope(await commit(tx, prepared))));
    if (key === undefined) {
      const prepared = await prepare();
      return this.database.transaction((tx) => answerOf(tx, prepared));
    }
    const keyed = this.keyedRequest(request, caller, key, fingerprint);
    return this.once(keyed, async () => {
      const stored = await this.find(this.database, keyed);
      if (stored) return stored;
      const prepared = await prepare();
      return this.database.transaction(async (tx) => {
        const twins = await this.claim(tx, keyed);
        if (twins) return twins;
        const answer = await answerOf(tx, prepared);
        await this.store(tx, keyed, sealed ? this.sealed(keyed, answer) : answer);
        return answer;
      });
    });
  }

  /**
   * As `run`, for a `commit` that writes in one statement of its own: `keep` makes of its data the answer
   * that this statement has to write with it, or null without a key.
   */
  async runAtOnce<Prepared, Data>(
    request: FastifyRequest,
    caller: Caller,
    prepare: () => Promise<Prepared>,
    commit: (prepared: Prepared, keep: (data: Data) => KeptAnswer | null) => Promise<Data>,
    { status = 201, fingerprint = request.body }: RunOptions = {},
  ): Promise<Answer> {
    const key = keyOf(request);
    const answerOf = (data: Data) => new Answer(status, JSON.stringify(successEnvelope(data)));
    if (key === undefined) return answerOf(await commit(await prepare(), () => null));
    const keyed = this.keyedRequest(request, caller, key, fingerprint);
    const { userId: _user, former: _former, ...kept } = keyed;
    const keep = (data: Data): KeptAnswer => ({ ...kept, status, body: answerOf(data).text });
    return this.once(keyed, async () => {
      const stored = await this.find(this.database, keyed);
      if (stored) return stored;
      const prepared = await prepare();
      return this.unlessTaken(keyed, async () => answerOf(await commit(prepared, keep)));
    });
  }

  /**
   * A twin in another process may be first: then its answer counts, also where this one was refused what the
   * first has taken, such as the last credit. An answer that has expired makes room.
   */
  private async unlessTaken(keyed: KeyedRequest, write: () => Promise<Answer>): Promise<Answer> {
    try {
      return await write();
    } catch (error) {
      if (sqlState(error) === LOCK_NOT_AVAILABLE) throw idempotencyInProgress();
      const taken = isTaken(error);
      if (!taken && !(error instanceof AppError)) throw error;
      const twins = await this.find(this.database, keyed);
      if (twins) return twins;
      if (!taken) throw error;
      await this.database.query(DROP_EXPIRED, [keyed.userId, keyed.route, keyed.key]);
      return write();
    }
  }

  /**
   * The answer that is replayed from now on: what became known right after the commit belongs to it. `null`: the
   * request failed after all, and frees its key.
   */
  async amend(request: FastifyRequest, caller: Caller, answer: Answer | null): Promise<void> {
    const key = keyOf(request);
    if (key === undefined) return;
    const at = [caller.userId, routeOf(request), key];
    if (answer) await this.database.query(AMEND, [...at, answer.status, answer.text]);
    else await this.database.query(FREE, at);
  }

  /** What is replayed under the request's key by now. */
  async kept(request: FastifyRequest, caller: Caller): Promise<Answer | null> {
    const [stored] = await this.database.query<StoredAnswer>(
      'select fingerprint, status, body from idempotency_key where user_id = $1 and route = $2 and key = $3',
      [caller.userId, routeOf(request), keyOf(request)],
    );
    return stored ? new Answer(stored.status, stored.body, true) : null;
  }

  /** Deletes keys that no longer count. Returns how many. */
  async prune(): Promise<number> {
    const rows = await this.database.query(
      `delete from idempotency_key where ctid in (
         select ctid from idempotency_key where created_at < now() - interval '24 hours' limit $1 for update skip locked
       ) returning 1`,
      [PRUNED_AT_ONCE],
    );
    return rows.length;
  }

  /** Joins the same request when it is running in this process, else runs it. */
  private async once(keyed: KeyedRequest, work: () => Promise<Answer>): Promise<Answer> {
    const id = JSON.stringify([keyed.userId, keyed.route, keyed.key]);
    const first = this.running.get(id);
    // Another body under the same key waits in the database, and is refused there.
    if (first && first.fingerprint !== keyed.fingerprint) return work();
    if (first) return replayOf(await this.patiently(first.answer));
    const answer = work();
    this.running.set(id, { fingerprint: keyed.fingerprint, answer });
    try {
      return await answer;
    } finally {
      this.running.delete(id);
    }
  }

  private async patiently(answer: Promise<Answer>): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(idempotencyInProgress()), this.patienceMs);
    });
    try {
      return await Promise.race([answer, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async find(db: Pick<Database, 'query'>, keyed: KeyedRequest): Promise<Answer | null> {
    const [stored] = await db.query<StoredAnswer>(
      `select fingerprint, status, body from idempotency_key
       where user_id = $1 and route = $2 and key = $3 and created_at >= now() - interval '24 hours'`,
      [keyed.userId, keyed.route, keyed.key],
    );
    if (!stored) return null;
    if (![keyed.fingerprint, ...keyed.former].includes(stored.fingerprint)) throw idempotencyKeyReused();
    return new Answer(stored.status, this.opened(keyed, stored.body), true);
  }

  /**
   * Takes the key for this transaction; the unique index makes a twin in another process wait for our
   * end. Returns the twin's answer when it was first.
   */
  private async claim(tx: Transaction, keyed: KeyedRequest): Promise<Answer | null> {
    await tx.query(`set local lock_timeout = ${this.patienceMs}`);
    const claimed = await tx
      .query(
        `insert into idempotency_key as k (user_id, route, key, fingerprint) values ($1, $2, $3, $4)
         on conflict (user_id, route, key) do update
           set fingerprint = excluded.fingerprint, status = null, body = null, created_at = now()
           where k.created_at < now() - interval '24 hours'
         returning 1`,
        [keyed.userId, keyed.route, keyed.key, keyed.fingerprint],
      )
      .catch((error: unknown) => {
        throw sqlState(error) === LOCK_NOT_AVAILABLE ? idempotencyInProgress() : error;
      });
    return claimed.length > 0 ? null : this.find(tx, keyed);
  }

  private keyedRequest(request: FastifyRequest, caller: Caller, key: string, body: unknown): KeyedRequest {
    const { params, query } = request;
    const [fingerprint, ...former] = this.seal.digests(canonicalize({ params, query, body: body ?? null }) ?? '');
    return { userId: caller.userId, route: routeOf(request), key, fingerprint, former };
  }

  private sealed(keyed: KeyedRequest, { status, text }: Answer): Answer {
    return new Answer(status, SEALED + this.seal.close(text, ownerOf(keyed)).toString('base64'));
  }

  /** All others are JSON objects. */
  private opened(keyed: KeyedRequest, body: string): string {
    if (!body.startsWith(SEALED)) return body;
    return this.seal.open(Buffer.from(body.slice(SEALED.length), 'base64'), ownerOf(keyed));
  }

  private async store(tx: Transaction, keyed: KeyedRequest, answer: Answer): Promise<void> {
    await tx.query(
      AMEND,
      [keyed.userId, keyed.route, keyed.key, answer.status, answer.text],
    );
  }
}

const ownerOf = ({ userId, route, key }: KeyedRequest): string => JSON.stringify([userId, route, key]);

const isTaken = (error: unknown): boolean =>
  sqlState(error) === UNIQUE_VIOLATION && (error as { constraint?: string }).constraint === 'idempotency_key_pkey';

const AMEND = 'update idempotency_key set status = $4, body = $5 where user_id = $1 and route = $2 and key = $3';
const FREE = 'delete from idempotency_key where user_id = $1 and route = $2 and key = $3';

const DROP_EXPIRED = `
  delete from idempotency_key
   where user_id = $1 and route = $2 and key = $3 and created_at < now() - interval '24 hours'`;

const replayOf = (answer: Answer) => new Answer(answer.status, answer.text, true);

const routeOf = ({ method, routeOptions }: FastifyRequest): string => `${method} ${routeOptions.url}`;

function keyOf(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw fieldError('Idempotency-Key', 'must be 1 to 255 visible ASCII characters');
}
