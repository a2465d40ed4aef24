import { Gauge } from 'prom-client';
import type { Database } from '#libs/database/database.js';
import type { EventBus } from '#libs/events/event-bus.js';
import type { WakeQueue } from '#libs/queue/wake-queue.js';
import type { Metrics } from './metrics.js';
import { Reading } from './reading.js';

const QUEUE_EVERY_MS = 5_000;

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
  for (const reading of [wakeUps(metrics, queue), redisMemory(metrics, queue)]) metrics.beforeReading(reading.refresh);
}

function wakeUps({ registry }: Metrics, queue: WakeQueue): Reading {
  const gauge = new Gauge({
    name: 'platen_wake_ups', help: 'Entries of the queue.', labelNames: ['lane', 'state'], registers: [registry],
  });
  const read = async () => {
    for (const { lane, state, count } of await queue.depth()) gauge.set({ lane, state }, count);
  };
  return new Reading(QUEUE_EVERY_MS, read, () => gauge.reset());
}

/** Nothing where Postgres carries the queue. */
function redisMemory({ registry }: Metrics, queue: WakeQueue): Reading {
  const bytes = (name: string, help: string) => {
    const gauge = new Gauge({ name, help, registers: [registry] });
    gauge.remove();
    return gauge;
  };
  const used = bytes('platen_redis_memory_used_bytes', 'Memory that Redis uses.');
  const limit = bytes('platen_redis_memory_limit_bytes', 'Memory that Redis may use: maxmemory, else its machine.');
  const read = async () => {
    const memory = await queue.memory();
    if (!memory) return;
    used.set(memory.used);
    limit.set(memory.limit);
  };
  return new Reading(QUEUE_EVERY_MS, read, () => [used, limit].forEach((gauge) => gauge.remove()));
}
