import { Gauge } from 'prom-client';
import type { Database } from '#libs/database/database.js';
import type { EventBus } from '#libs/events/event-bus.js';
import type { WakeQueue } from '#libs/queue/wake-queue.js';
import type { Metrics } from './metrics.js';
import { Reading } from './reading.js';

const WAKE_UPS_EVERY_MS = 5_000;

/** What this process stands on, as it sees it: its connections, the event bus and the queue of wake-ups. */
export function measureConnections(
  metrics: Metrics,
  { database, bus, queue }: { database: Database; bus: EventBus; queue: WakeQueue },
): void {
  const registers = [metrics.registry];
  const connections: Gauge<'state'> = new Gauge({
    name: 'platen_database_connections', help: 'Connections to Postgres, and callers who wait for one.',
    labelNames: ['state'], registers,
    collect: () => {
      for (const [state, count] of Object.entries(database.connections)) connections.set({ state }, count);
    },
  });
  metrics.gauge('platen_event_bus_up', '1 when events pass between processes at once, 0 when they are late.', () =>
    bus.healthy() ? 1 : 0,
  );
  const wakeUps = new Gauge({
    name: 'platen_wake_ups', help: 'Entries of the queue.', labelNames: ['lane', 'state'], registers,
  });
  const reading = new Reading(
    WAKE_UPS_EVERY_MS,
    async () => {
      for (const { lane, state, count } of await queue.depth()) wakeUps.set({ lane, state }, count);
    },
    () => wakeUps.reset(),
  );
  metrics.beforeReading(reading.refresh);
}
