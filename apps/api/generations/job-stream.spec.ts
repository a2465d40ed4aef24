import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import type { EventLog } from '#libs/events/event-log.js';
import type { JobEvent } from '#libs/events/job-event.js';
import { JobStream } from './job-stream.js';
import type { ServerSentEvent, SseConnection } from './sse-connection.js';

const eventAt = (seq: number, last: number): JobEvent => ({
  seq, type: seq === last ? 'job_completed' : 'node_completed', job_id: 'job', at: '2026-01-01T00:00:00.000Z',
});

/** A client that takes each event only after some turns of the event loop. */
class SlowClient {
  readonly ids: string[] = [];
  closed = false;
  readonly congested = false;

  constructor(private readonly turns: number) {}

  async send({ id }: ServerSentEvent): Promise<void> {
    this.ids.push(id as string);
    for (let i = 0; i < this.turns; i++) await turn();
  }

  end(): void {
    this.closed = true;
  }
}

/** What becomes of the message of each event, and whether it brings the event along. */
const fate = fc.record({
  message: fc.constantFrom('arrives' as const, 'arrives' as const, 'lost' as const, 'doubled' as const),
  carries: fc.boolean(),
  pause: fc.nat({ max: 3 }),
});

describe(JobStream.name, () => {
  it('gives each event once and in order, whatever becomes of the messages, and ends after the last', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fate, { minLength: 2, maxLength: 25 }), fc.nat({ max: 3 }), fc.nat({ max: 5 }), fc.nat({ max: 4 }),
        async (fates, slowness, startAfter, resumeAfter) => {
          const total = fates.length;
          const rows: JobEvent[] = [];
          const log = {
            after: async (_job: string, seq: number, limit: number) => {
              await turn();
              return rows.filter((row) => row.seq > seq).slice(0, limit);
            },
          } as unknown as EventLog;
          const client = new SlowClient(slowness);
          const stream = new JobStream({ jobId: 'job', log, textOf: JSON.stringify });
          const from = Math.min(resumeAfter, startAfter, total - 1);
          const start = () => stream.start(client as unknown as SseConnection, from, rows.length, false);
          for (const [i, { message, carries, pause }] of fates.entries()) {
            if (i === startAfter) start();
            const event = eventAt(i + 1, total);
            rows.push(event);
            const times = { arrives: 1, lost: 0, doubled: 2 }[message];
            for (let time = 0; time < times; time++) {
              stream.receive({
                kind: 'events', jobId: 'job', userId: 'user', collectionId: null, seq: event.seq,
                ...(carries && { events: [event] }),
              });
            }
            for (let waited = 0; waited < pause; waited++) await turn();
          }
          if (startAfter >= total) start();
          // The look that makes up for lost messages.
          stream.receive({ kind: 'events', jobId: 'job', userId: 'user', collectionId: null, seq: total });
          for (let waited = 0; waited < 1_000 && !client.closed; waited++) await turn();
          expect(client.ids).toEqual(rows.slice(from).map(({ seq }) => String(seq)));
          expect(client.closed).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is not held up by a message that comes again while the client takes what it brought', async () => {
    const log = { after: () => Promise.reject(new Error('Nothing need be read')) } as unknown as EventLog;
    const client = new SlowClient(3);
    const stream = new JobStream({ jobId: 'job', log, textOf: JSON.stringify });
    stream.start(client as unknown as SseConnection, 0, 0, false);
    for (const seq of [1, 2, 1]) {
      stream.receive({ kind: 'events', jobId: 'job', userId: 'user', collectionId: null, seq, events: [eventAt(seq, 3)] });
    }
    for (let waited = 0; waited < 20; waited++) await turn();
    expect(client.ids).toEqual(['1', '2']);
  });
});
