import type { Transaction } from '#libs/database/database.js';
import type { Lane } from '#libs/nodes/node.js';
import type { WakeQueue } from '#libs/queue/wake-queue.js';
import { HANDED_BACK, WORKER_LOST } from './generation-state.js';

interface WokenRow {
  id: string;
  lane: Lane;
  dispatch: string;
  rests: boolean;
}

/**
 * Has the generation of this attempt ask at once after what it waits for. False: nothing waits for the token any
 * more, or nobody ever had it. An attempt whose worker died still counts, for the outside knows its token; the
 * attempt that follows looks for what came to it.
 */
export async function wakeStep(tx: Transaction, queue: WakeQueue, token: string): Promise<boolean> {
  const [row] = await tx.query<WokenRow>(WAKE, awaitedBy(token));
  if (!row) return false;
  const { id: generationId, lane, dispatch, rests } = row;
  // One that runs hears of it when its lease is renewed, and does not park before it has.
  if (rests) tx.afterCommit(() => queue.wake([{ lane, generationId, dispatch: Number(dispatch) }]));
  return true;
}

/** The open attempt `s` of the token `$1`, or a lost one whose step nobody has done since, and its generation `g`. */
export const AWAITED = `
  select g.id from step_run s join generation g on g.id = s.generation_id
   where s.token = $1::uuid and g.status in ('pending', 'processing', 'waiting')
     and (s.status in ('running', 'waiting')
       or (s.run = g.run and s.error ->> 'code' = any($2::text[])
         and not exists (select from step_run done where done.generation_id = s.generation_id
           and done.step_id = s.step_id and done.status = 'completed')))`;

/** `$1` and `$2` of `AWAITED`. */
export const awaitedBy = (token: string) => [token, [WORKER_LOST, HANDED_BACK]];

const WAKE = `
  with awaited as (${AWAITED})
  update generation g
     set wake_seq = wake_seq + 1,
         wake_at = case when g.status = 'processing' then g.wake_at else clock_timestamp() end
    from awaited
   where g.id = awaited.id and g.status in ('pending', 'processing', 'waiting')
  returning g.id, g.lane, g.lease + g.wake_seq as dispatch, g.status <> 'processing' as rests`;
