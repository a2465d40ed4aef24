import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { given, serveBench } from '../child.js';

/** Events to publish, as a worker would: so many of each job, the jobs in turn. */
export interface PublishLoad {
  channel: string;
  jobs: Array<{ jobId: string; userId: string }>;
  /** The number of the first event of each job. */
  first: number;
  events: number;
  /** Of all jobs together; as fast as Redis takes them where it is absent. */
  perSecond?: number;
  /** Characters that each event carries along. */
  padding?: number;
}

const redis = new Redis(given('REDIS_URL'));
const TICK_MS = 10;
const AT_ONCE = 200;

serveBench('to publish', publishAll);

async function publishAll({ channel, jobs, first, events, perSecond, padding = 0 }: PublishLoad): Promise<void> {
  const perTick = perSecond ? Math.max(1, Math.round((perSecond * TICK_MS) / 1_000)) : AT_ONCE;
  const ballast = 'x'.repeat(padding);
  let sending: Array<Promise<unknown>> = [];
  for (let seq = first; seq < first + events; seq++) {
    for (const job of jobs) {
      sending.push(redis.publish(channel, messageOf(job, seq, ballast)));
      if (sending.length < perTick) continue;
      await Promise.all([...sending, perSecond && delay(TICK_MS)]);
      sending = [];
    }
  }
  await Promise.all(sending);
}

/** The time it was sent, by a clock that all processes of a machine share, is in `message`. */
function messageOf({ jobId, userId }: PublishLoad['jobs'][number], seq: number, ballast: string): string {
  const at = new Date().toISOString();
  const detail = { generation_index: 0, step_id: '1', node: 'prompt', message: String(process.hrtime.bigint()) };
  const event = { seq, type: 'node_started', job_id: jobId, at, ...detail, ...(ballast && { ballast }) };
  return JSON.stringify({ kind: 'events', jobId, userId, collectionId: null, seq, events: [event] });
}
