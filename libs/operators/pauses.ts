import { validate, v7 as uuid } from 'uuid';
import { sqlState, type Database, type Transaction } from '#libs/database/database.js';
import { alreadyPaused, fieldError, notFound, workflowNotFound } from '#libs/errors/errors.js';
import { IN_FORCE, setAside, takeBack } from '#libs/generations/paused-generations.js';
import { LANES } from '#libs/nodes/node.js';
import type { WakeQueue } from '#libs/queue/wake-queue.js';
import type { OperatorLog } from './operator-log.js';

export const PAUSE_SCOPES = ['all', 'lane', 'workflow', 'user'] as const;
export type PauseScope = (typeof PAUSE_SCOPES)[number];

/** `pause`: nothing of it is taken by a worker. `drain`: nothing more of it is begun; what has begun goes on to its end. */
export const PAUSE_MODES = ['pause', 'drain'] as const;
export type PauseMode = (typeof PAUSE_MODES)[number];

export interface PauseOrder {
  scope: PauseScope;
  /** The lane, or the id of the workflow or user; empty for `all`. */
  subject: string;
  mode: PauseMode;
  reason: string;
  /** When it ends by itself; null: when it is lifted. */
  until: Date | null;
}

export interface Pause extends PauseOrder {
  id: string;
  created_by: string;
  created_at: Date;
  lifted_at: Date | null;
  /** Null, with `lifted_at`: its time was over. */
  lifted_by: string | null;
}

/** How long a verb goes on marking; the rest is done by the claims, and by the next sweep. */
const PATIENCE_MS = 8_000;
const SHOWN_AT_MOST = 1_000;
const UNIQUE_VIOLATION = '23505';
const COLUMNS = 'id, scope, subject, mode, reason, created_by, created_at, until, lifted_at, lifted_by';

/**
 * Pauses are rows. From the moment one is committed no claim takes what it is for; a wake-up, a worker's own look or
 * a reconciler makes no difference. What runs in a worker just then goes on until it ends or has to wait.
 */
export class Pauses {
  constructor(
    private readonly database: Database,
    private readonly queue: WakeQueue,
    private readonly log: OperatorLog,
  ) {}

  /** Throws `ALREADY_PAUSED` with the pause that is in force, `WORKFLOW_NOT_FOUND`, `NOT_FOUND`. */
  async impose(by: string, order: PauseOrder): Promise<Pause> {
    const pause = await this.database
      .transaction((tx) => this.insert(tx, by, order))
      .catch(async (error: unknown) => {
        throw sqlState(error) === UNIQUE_VIOLATION ? alreadyPaused(await this.standing(order)) : error;
      });
    await whilePatient(async () => (await setAside(this.database, pause.id)) > 0);
    return pause;
  }

  /** Lifting one that was lifted changes nothing: the answer says when, and by whom. Throws `NOT_FOUND`. */
  async lift(by: string, id: string): Promise<Pause> {
    const pause = await this.database.transaction(async (tx) => {
      const [lifted] = await tx.query<Pause>(
        `update pause set lifted_at = now(), lifted_by = $2 where id = $1 and lifted_at is null returning ${COLUMNS}`,
        [id, by],
      );
      if (lifted) await this.log.record(tx, { by, verb: 'lift', target: targetOf(lifted), details: { pause_id: id } });
      return lifted ?? (await tx.query<Pause>(`select ${COLUMNS} from pause where id = $1`, [id]))[0];
    });
    if (!pause) throw notFound('Pause');
    await whilePatient(() => this.takeBackSome(id));
    return pause;
  }

  /** The oldest first. */
  inForce(): Promise<Pause[]> {
    return this.database.query<Pause>(
      `select ${COLUMNS} from pause p where ${IN_FORCE} order by created_at limit ${SHOWN_AT_MOST}`,
    );
  }

  /** Ends pauses whose time is over, and what was lifted but for the marks of generations. Returns how many it found. */
  async sweep(): Promise<number> {
    await this.database.query(
      'update pause set lifted_at = until where lifted_at is null and until <= now()',
    );
    const over = await this.database.query<{ id: string }>(
      `select id from pause where lifted_at is not null
         and exists (select from generation where paused_by = pause.id)`,
    );
    for (const { id } of over) await whilePatient(() => this.takeBackSome(id));
    return over.length;
  }

  private async insert(tx: Transaction, by: string, order: PauseOrder): Promise<Pause> {
    const { scope, subject, mode, reason, until } = order;
    await assertSubject(tx, order);
    await tx.query(
      `update pause set lifted_at = until where scope = $1 and subject = $2 and lifted_at is null and until <= now()`,
      [scope, subject],
    );
    const [pause] = await tx.query<Pause>(
      `insert into pause (id, scope, subject, mode, reason, created_by, until)
       values ($1, $2, $3, $4, $5, $6, $7) returning ${COLUMNS}`,
      [uuid(), scope, subject, mode, reason, by, until],
    );
    const details = { pause_id: pause?.id, reason, ...(until && { until }) };
    await this.log.record(tx, { by, verb: mode, target: targetOf(order), details });
    return pause as Pause;
  }

  private async standing({ scope, subject }: PauseOrder): Promise<object> {
    const [pause] = await this.database.query<Pause>(
      `select ${COLUMNS} from pause where scope = $1 and subject = $2 and lifted_at is null`, [scope, subject],
    );
    return pause ?? {};
  }

  /** False: there is none, or none that is to be had now. */
  private async takeBackSome(id: string): Promise<boolean> {
    const rows = await takeBack(this.database, id);
    const due = rows.filter((row) => row.due);
    await this.queue.wake(
      due.map(({ lane, id: generationId, dispatch }) => ({ lane, generationId, dispatch: Number(dispatch) })),
    );
    return rows.length > 0;
  }
}

const targetOf = ({ scope, subject }: Pick<PauseOrder, 'scope' | 'subject'>): Record<string, unknown> =>
  scope === 'all' ? { all: true } : { [scope]: subject };

async function assertSubject(tx: Transaction, { scope, subject }: PauseOrder): Promise<void> {
  if (scope === 'lane' && !(LANES as readonly string[]).includes(subject)) {
    throw fieldError('subject', `is no lane: ${LANES.join(', ')}`);
  }
  if (scope === 'workflow' && !(await isThere(tx, 'workflow', 'id', subject))) throw workflowNotFound();
  if (scope === 'user' && !(await isThere(tx, 'account', 'user_id', subject))) throw notFound('Account');
}

async function isThere(tx: Transaction, table: string, column: string, id: string): Promise<boolean> {
  if (!validate(id)) return false;
  const rows = await tx.query(`select 1 from ${table} where ${column} = $1::uuid`, [id]);
  return rows.length > 0;
}

async function whilePatient(some: () => Promise<boolean>): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  while (Date.now() < until && (await some()));
}
