import type { EventBus } from './event-bus.js';
import { PostgresEventBus } from './postgres.event-bus.js';
import { RedisEventBus } from './redis.event-bus.js';

export interface EventBusOptions {
  /** Unset: Postgres carries the messages. */
  redisUrl?: string;
  databaseUrl: string;
  /** What the Redis channel's name begins with. */
  prefix?: string;
  /** Told of every lost connection and failed publish; they heal by themselves. */
  onError?: (error: Error) => void;
}

/** Connects in the background: until then, and in every outage, messages are dropped and `healthy` is false. */
export function createEventBus(options: EventBusOptions): EventBus {
  const { redisUrl, databaseUrl, prefix = '{platen}', onError = () => undefined } = options;
  return redisUrl
    ? new RedisEventBus(redisUrl, `${prefix}:events`, onError)
    : new PostgresEventBus(databaseUrl, onError);
}
