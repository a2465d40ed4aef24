import type { Queryable } from '#libs/database/database.js';
import { prepared } from '#libs/database/prepared.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import type { CollectionSeal } from '#libs/encryption/collection-seal.js';
import { KeyUnavailable } from '#libs/encryption/key-management.js';
import type { Claim, ClaimRequest, GenerationState, Lease } from '#libs/engine/generation-store.js';
import type { Lane } from '#libs/nodes/node.js';
import { ATTEMPTS, stateOf, type ClaimedRow } from './generation-state.js';
import { PAUSE_OF } from './paused-generations.js';
import { openedClaim } from './sealed-steps.js';
import { tracepoint } from '#libs/tracepoints/tracepoints.js';

/** Seconds a lease lasts without renewal. After that another worker may take the generation. */
export const LEASE_SECONDS = 10;
/** Seconds from claim to begin. Nothing is lost by one that comes late, so nobody waits long for one that died. */
const CLAIM_SECONDS = 4;
/** A claim waits no longer for its key: it would have lost its lease before it could tell that there is none. */
const KEY_WAIT_MS = 2_000;

/** Generations that one claim sets aside at most, before it leaves the lane to the next look. */
const SET_ASIDE_AT_ONCE = 50;

/** What the database says of the leases a worker holds. */
export interface HeldLease {
  generationId: string;
  wakeSeq: number;
}

/**
 * Takes the next generation of a lane: waiting ones that are due first, then by priority, then by turn.
 * A claim is no change of state: it only makes the caller the newest holder, and reads what there is to do.
 * One that is paused is never taken: it is set aside, and the next one is. Throws `BrokenClaim` where it cannot be read.
 */
export async function claim(
  db: Queryable,
  keys: CollectionKeys,
  { lane, worker, idle }: ClaimRequest,
): Promise<Claim | undefined> {
  const row = await nextUnpaused(db, [lane, worker, idle, CLAIM_SECONDS]);
  if (!row) return undefined;
  const lease = { generationId: row.id, jobId: row.job_id, number: Number(row.lease), lane, alone: row.alone };
  try {
    return { lease, state: row.encrypted ? await decrypted(keys, row) : stateOf(row) };
  } catch (error) {
    throw row.encrypted ? new UnreadableClaim(lease, error) : new BrokenClaim(lease, error);
  }
}

async function nextUnpaused(db: Queryable, parameters: unknown[]): Promise<ClaimedRow | undefined> {
  for (let setAside = 0; setAside < SET_ASIDE_AT_ONCE; setAside++) {
    const [row] = await db.query<ClaimedRow & { id: string | null; set_aside: boolean }>(CLAIM, parameters);
    if (!row?.set_aside) return row?.id ? row : undefined;
  }
  return undefined;
}

/** A generation was claimed, and what there is to do could not be read. Whoever catches it must break the claim off. */
export class BrokenClaim extends Error {
  constructor(
    readonly lease: Lease,
    cause: unknown,
    message = 'A claimed generation cannot be read',
  ) {
    super(message, { cause });
    this.name = new.target.name;
  }
}

/** The generation is encrypted and cannot be opened: its key is not to be had, or its rows were changed. */
export class UnreadableClaim extends BrokenClaim {
  constructor(lease: Lease, cause: unknown) {
    super(lease, cause, 'A claimed generation cannot be decrypted');
  }
}

async function decrypted(keys: CollectionKeys, row: ClaimedRow): Promise<GenerationState> {
  if (row.collection_id === null) throw new KeyUnavailable(`The collection of job ${row.job_id} is gone, and its key with it`);
  const seal = await soon(keys.of(row.collection_id));
  return stateOf(openedClaim(seal, row), seal);
}

/** The key is still asked for after that, and may be known to the next claim. */
async function soon(key: Promise<CollectionSeal>): Promise<CollectionSeal> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new KeyUnavailable(`No key came within ${KEY_WAIT_MS} ms`)), KEY_WAIT_MS);
  });
  try {
    return await Promise.race([key, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether a generation that must run alone waits for an idle worker. */
export async function aloneWaits(db: Queryable, lanes: Lane[]): Promise<boolean> {
  const [row] = await db.query<{ waits: boolean }>(
    `select exists (select from generation where alone and lane = any($1) and status in ('pending', 'waiting')
       and paused_by is null and wake_at <= now() and (lease_until is null or lease_until < now())) as waits`,
    [lanes],
  );
  return row?.waits === true;
}

/**
 * Prolongs leases, all in one statement. One that was given back meanwhile stays so: prolonged, it would
 * keep the next worker waiting. The ones missing from the answer are lost. A row that is locked by a
 * checkpoint right now is left for the next renewal: waiting for it could deadlock with a cancel.
 */
export async function renew(db: Queryable, leases: Lease[]): Promise<HeldLease[]> {
  tracepoint('renewal.before');
  const rows = await db.query<{ id: string; wake_seq: string }>(RENEW, [
    leases.map(({ generationId }) => generationId),
    leases.map(({ number }) => number),
    LEASE_SECONDS,
  ]);
  tracepoint('renewal.after');
  return rows.map(({ id, wake_seq }) => ({ generationId: id, wakeSeq: Number(wake_seq) }));
}

const CLAIM = prepared('claim', `
  with due as (
    select id from generation
     where lane = $1 and status = 'waiting' and paused_by is null and wake_at <= now()
       and (lease_until is null or lease_until < now()) and ($3 or not alone)
     order by wake_at limit 1 for update skip locked
  ), next as (
    select id from generation
     where lane = $1 and status = 'pending' and paused_by is null and wake_at <= now()
       and (lease_until is null or lease_until < now()) and ($3 or not alone)
       and not exists (select from due)
     order by priority desc, turn, id limit 1 for update skip locked
  ), picked as (select id from due union all select id from next)
  , held as (
    select g.id, pause.id as pause_id
      from picked join generation g using (id) join job j on j.id = g.job_id cross join lateral (${PAUSE_OF}) as pause
  ), set_aside as (
    update generation g set paused_by = held.pause_id, paused_at = now() from held where g.id = held.id
  ), claimed as (
    update generation g
       set lease = g.lease + 1, lease_until = now() + make_interval(secs => $4), leased_by = $2
      from picked where g.id = picked.id and not exists (select from held)
    returning g.*
  )
  select exists (select from held) as set_aside, g.id, g.job_id, g.lease, g.alone, g.index, g.hash, g.run, g.wake_seq, g.started_at is not null as resumed,
         j.user_id, j.collection_id, j.workflow_id, g.wake_at, j.generations, j.instruction_set, j.encrypted,
         j.options -> 'save_intermediate_outputs' as shows_all, j.options -> 'renders' as renders, j.options -> 'files' as files,
         j.options ->> 'trace' as trace, ${ATTEMPTS} as attempts
    from (values (1)) as one left join claimed g on true left join job j on j.id = g.job_id`);

const RENEW = prepared('renew', `
  with mine as (
    select * from unnest($1::uuid[], $2::bigint[]) as m (id, lease)
  ), free as (
    select g.id from generation g join mine using (id, lease)
     where g.status in ('pending', 'processing') and g.leased_by is not null for update of g skip locked
  ), renewed as (
    update generation g set lease_until = now() + make_interval(secs => $3) from free where g.id = free.id
  )
  select g.id, g.wake_seq from generation g join mine using (id, lease)
   where g.status in ('pending', 'processing') and g.leased_by is not null`);
