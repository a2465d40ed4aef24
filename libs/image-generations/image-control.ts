import type { Plans } from '#libs/credits/plans.js';
import type { Database, Transaction } from '#libs/database/database.js';
import { AppError } from '#libs/errors/app-error.js';
import { generationNotFound, invalidGenerationStatus, tooManyInflight } from '#libs/errors/errors.js';
import type { JobControl } from '#libs/generations/job-control.js';
import type { JobChange, JobTransactions } from '#libs/generations/job-transaction.js';
import type { Lane } from '#libs/nodes/node.js';
import { standOf } from '#libs/generations/turns.js';
import type { WakeQueue } from '#libs/queue/wake-queue.js';

/** `/files` shows it no more at once; a CDN over the storage goes on for whoever has just been given its URL. */
const BYTES_KEPT = '24 hours';

interface HeldRow {
  id: string;
  lane: Lane;
  priority: number;
  begun: boolean;
  plan: string;
  price_id: string | null;
}

/** What users of the two-step and v1 faces do to a generation after its submission. Whose it is was checked before. */
export class ImageControl {
  constructor(
    private readonly database: Database,
    private readonly jobs: JobTransactions,
    private readonly control: JobControl,
    private readonly plans: Plans,
    private readonly queue: WakeQueue,
  ) {}

  /**
   * Begins a record of the two-step face: once this is committed, it is in flight. Throws
   * `INVALID_GENERATION_STATUS`, `TOO_MANY_INFLIGHT`.
   */
  begin(tx: Transaction, userId: string, id: string): Promise<void> {
    return this.jobs.changeIn(
      tx,
      id,
      async (change) => {
        const [held] = await change.tx.query<HeldRow>(HELD, [id]);
        if (!held) throw generationNotFound();
        if (held.begun || change.job.status !== 'pending') {
          throw invalidGenerationStatus(`The generation is ${held.begun ? 'begun already' : change.job.status}`);
        }
        await this.takeOff(change, held);
      },
      { userId },
    );
  }

  /** Throws `INVALID_GENERATION_STATUS` when it has ended. */
  async cancel(userId: string, id: string): Promise<void> {
    try {
      await this.control.cancelJob(userId, id);
    } catch (error) {
      throw error instanceof AppError && error.code === 'INVALID_JOB_STATUS'
        ? invalidGenerationStatus(error.message.replace('job', 'generation'))
        : error;
    }
  }

  /**
   * From now on it is not there; its bytes go a day later. Throws `INVALID_GENERATION_STATUS` while it is open,
   * `GENERATION_NOT_FOUND` when it was removed already.
   */
  async remove(userId: string, id: string): Promise<void> {
    const removed = await this.database.change(REMOVE, [id, userId, BYTES_KEPT]);
    if (removed.length > 0) return;
    const there = await this.database.query('select from image_generation where id = $1 and deleted_at is null', [id]);
    throw there.length > 0 ? invalidGenerationStatus('The generation has not ended') : generationNotFound();
  }

  private async takeOff(change: JobChange, held: HeldRow): Promise<void> {
    const { tx, job } = change;
    const { maxInFlight } = this.plans.of(held);
    const [account] = await tx.query<{ turn: string }>(TAKE_OFF, [job.user_id, maxInFlight, held.lane, held.priority]);
    if (!account) throw tooManyInflight(maxInFlight);
    const [woken] = await tx.query<{ dispatch: string }>(START, [held.id, account.turn]);
    await tx.query('update job set in_flight = true where id = $1', [job.id]);
    await tx.query('update image_generation set begun_at = now(), expires_at = null where id = $1', [job.id]);
    tx.afterCommit(() =>
      this.queue.wake([{ lane: held.lane, generationId: held.id, dispatch: Number(woken?.dispatch) }]),
    );
  }
}

const HELD = `
  select g.id, g.lane, g.priority, i.begun_at is not null as begun, a.plan, a.price_id
    from generation g join image_generation i on i.id = g.job_id join account a on a.user_id = g.user_id
   where g.job_id = $1 for update of g`;

/** In the turn that a submission would get now: what is open beside it counts. */
const TAKE_OFF = `
  with stand as (
    select ${standOf({ lane: '$3', priority: '$4' })} as turn
  )
  update account a
     set open_generations = a.open_generations - 1, in_flight = a.in_flight + 1,
         last_turns = a.last_turns || jsonb_build_object(
           $3::text, 1 + greatest(stand.turn,
             case when a.open_generations + a.in_flight > 1 then (a.last_turns ->> $3)::bigint end))
    from stand
   where a.user_id = $1 and a.in_flight < $2
  returning (a.last_turns ->> $3)::bigint as turn`;

const START = `
  update generation set wake_at = now(), wake_seq = wake_seq + 1, turn = $2 where id = $1
  returning lease + wake_seq as dispatch`;

const REMOVE = `
  with removed as (
    update image_generation i set deleted_at = now()
      from job j
     where i.id = $1 and i.user_id = $2 and i.deleted_at is null and j.id = i.id
       and j.status in ('completed', 'failed', 'cancelled')
    returning i.id, i.user_id, coalesce(i.request -> 'inputs', '[]') as inputs
  ), files as (
    update flat_file f set deleted_at = now() + $3::interval
      from removed
     where f.user_id = removed.user_id and f.deleted_at is null
       and (f.generation_id in (select id from generation where job_id = removed.id)
         or f.storage_key in (select jsonb_array_elements_text(removed.inputs)))
  )
  select id from removed`;
