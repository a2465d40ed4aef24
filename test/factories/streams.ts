import { Ledger } from '#libs/credits/ledger.js';
import type { EventBus } from '#libs/events/event-bus.js';
import { createEventBus } from '#libs/events/index.js';
import type { RecordedEventType } from '#libs/events/job-event.js';
import { JobTransactions } from '#libs/generations/job-transaction.js';
import { startTestApi, type TestApi } from '../setup/api.js';
import { eventually } from '../setup/eventually.js';
import { EventReader } from '../setup/event-source.js';
import { testRedisUrl } from '../setup/redis.js';

/** What carries the messages: a name and the variables that say so. */
export type Backend = readonly [name: string, variables: { REDIS_URL?: string }];

const redisUrl = testRedisUrl();
export const BACKENDS: Backend[] = [['Postgres', {}]];
if (redisUrl) BACKENDS.push(['Redis', { REDIS_URL: redisUrl }]);

/** Two API processes on one database, and a third process that writes events. */
export interface Streams {
  first: TestApi;
  second: TestApi;
  bus: EventBus;
  transactions: JobTransactions;
  /** Another API process on the same database. */
  another(): Promise<TestApi>;
  /** Records events of a job in one transaction. */
  emit(jobId: string, ...types: RecordedEventType[]): Promise<unknown>;
  /** Ends a job as failed. */
  finish(jobId: string): Promise<void>;
  open(
    job: { jobId: string; userId: string },
    lastEventId?: number | string,
    api?: TestApi,
  ): Promise<EventReader>;
  close(): Promise<void>;
}

export async function buildStreams(variables: { REDIS_URL?: string }): Promise<Streams> {
  const first = await startTestApi({ ...variables });
  const url = first.databaseUrl;
  const another = () => first.another();
  const second = await another();
  const bus = createEventBus({ redisUrl: variables.REDIS_URL, databaseUrl: url });
  const transactions = new JobTransactions(first.database, new Ledger(), bus);
  await eventually(() => expect(bus.healthy()).toBe(true));
  return {
    first, second, bus, transactions, another,
    emit: (jobId, ...types) =>
      transactions.change(jobId, async (change) => types.forEach((type) => change.emit(type))),
    finish: (jobId) =>
      transactions.change(jobId, async (change) => {
        change.job.failed = change.job.generations;
        change.finish();
      }),
    open: ({ jobId, userId }, lastEventId, api = first) =>
      EventReader.open(`${api.url}/jobs/${jobId}/events`, {
        ...api.as(userId),
        ...(lastEventId !== undefined && { 'last-event-id': String(lastEventId) }),
      }),
    close: async () => {
      await bus.close();
      await second.close();
      await first.close();
    },
  };
}
