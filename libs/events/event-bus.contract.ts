import { randomUUID } from 'node:crypto';
import { eventually } from '../../test/setup/eventually.js';
import type { BusMessage, EventBus } from './event-bus.js';

/** What every backend of the bus guarantees. `create` gives another process's end of the same bus. */
export function describeEventBus(name: string, create: () => EventBus): void {
  describe(`the event bus on ${name}`, () => {
    let here: EventBus;
    let there: EventBus;

    beforeEach(async () => {
      here = create();
      there = create();
      await eventually(async () => {
        expect(here.healthy() && there.healthy()).toBe(true);
        expect(await passes()).toBe(true);
      });
    });
    afterEach(async () => {
      await here.close();
      await there.close();
    });

    const cancel = (generationId = randomUUID()): BusMessage => ({ kind: 'cancel', generationIds: [generationId] });
    const passes = async () => {
      const { received, stop } = listen(here);
      const probe = cancel();
      await there.publish(probe);
      await eventually(() => expect(received).toContainEqual(probe), 200).catch(() => undefined);
      stop();
      return received.length > 0;
    };
    const listen = (bus: EventBus) => {
      const received: BusMessage[] = [];
      return { received, stop: bus.subscribe((message) => received.push(message)) };
    };
    const events = (output: string): BusMessage => {
      const jobId = randomUUID();
      const event = { seq: 1, type: 'node_completed' as const, job_id: jobId, at: new Date().toISOString(), output };
      return { kind: 'events', jobId, userId: randomUUID(), collectionId: null, seq: 1, events: [event] };
    };

    it('reaches every listener of every process, in order', async () => {
      const listeners = [listen(here), listen(here), listen(there)];
      const sent = Array.from({ length: 50 }, () => cancel());
      for (const message of sent) await here.publish(message);
      // On a busy machine a message that only tried the connection can still be under way.
      const sentOnes = new Set(sent.map((message) => JSON.stringify(message)));
      await eventually(() => {
        for (const { received } of listeners) {
          expect(received.filter((message) => sentOnes.has(JSON.stringify(message)))).toEqual(sent);
        }
      });
    });

    it('stops when told', async () => {
      const stopped = listen(here);
      const going = listen(here);
      stopped.stop();
      await there.publish(cancel());
      await eventually(() => expect(going.received).toHaveLength(1));
      expect(stopped.received).toEqual([]);
    });

    it('keeps a listener that throws from harming the others', async () => {
      here.subscribe(() => {
        throw new Error('broken listener');
      });
      const { received } = listen(here);
      await there.publish(cancel());
      await eventually(() => expect(received).toHaveLength(1));
    });

    it('carries events that fit, with every character intact', async () => {
      const { received } = listen(here);
      const message = events('quote " backslash \\ newline \n 漢字 😀');
      await there.publish(message);
      await eventually(() => expect(received).toEqual([message]));
    });

    it('delivers at least the hint of events that are large', async () => {
      const { received } = listen(here);
      const message = events('x'.repeat(20_000));
      await there.publish(message);
      await eventually(() => expect(received).toHaveLength(1));
      expect(received[0]).toMatchObject({ kind: 'events', seq: 1, jobId: (message as { jobId: string }).jobId });
    });

    it('cancels any number of generations', async () => {
      const { received } = listen(here);
      const generationIds = Array.from({ length: 1_000 }, () => randomUUID());
      await there.publish({ kind: 'cancel', generationIds });
      const ids = () => received.flatMap((message) => (message.kind === 'cancel' ? message.generationIds : []));
      await eventually(() => expect(ids()).toEqual(generationIds));
    });

    it('is silent after it was closed', async () => {
      await there.close();
      expect(there.healthy()).toBe(false);
      await expect(there.publish(cancel())).resolves.toBeUndefined();
    });
  });
}
