import type { RedisOptions } from 'ioredis';
import { within } from '#libs/queue/deadline.js';
import { connectRedis, LASTING, type RedisClient } from '#libs/redis/redis-client.js';
import { EventBus, type BusMessage } from './event-bus.js';
import { Listeners, type BusListener } from './listeners.js';

const PUBLISH_TIMEOUT_MS = 2_000;
/** A subscriber only reads, so a connection that died silently is found by asking. */
const PING_EVERY_MS = 5_000;
const PING_TIMEOUT_MS = 5_000;

/** Pub/sub of Redis: one channel, one connection to publish and one to listen per process. */
export class RedisEventBus extends EventBus {
  private readonly listeners: Listeners;
  private readonly publisher: RedisClient;
  private readonly subscriber: RedisClient;
  private readonly ping: NodeJS.Timeout;
  private closed = false;

  constructor(
    url: string,
    private readonly channel: string,
    private readonly onError: (error: Error) => void,
  ) {
    super();
    this.listeners = new Listeners(onError);
    this.publisher = connectRedis(url, publisherOptions);
    this.subscriber = connectRedis(url, subscriberOptions);
    this.publisher.on('error', onError);
    this.subscriber.on('error', onError);
    this.subscriber.on('message', (_channel: string, text: string) => this.listeners.deliver(text));
    this.subscriber.subscribe(channel).catch(onError);
    this.ping = setInterval(() => void this.askSubscriber(), PING_EVERY_MS);
    this.ping.unref();
  }

  async publish(message: BusMessage): Promise<void> {
    if (this.closed || this.publisher.status !== 'ready') return;
    await this.publisher.publish(this.channel, JSON.stringify(message)).catch(this.onError);
  }

  subscribe(listener: BusListener): () => void {
    return this.listeners.add(listener);
  }

  healthy(): boolean {
    return !this.closed && this.publisher.status === 'ready' && this.subscriber.status === 'ready';
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.ping);
    this.subscriber.disconnect();
    this.publisher.disconnect();
  }

  /** By subscribing again, which changes nothing: PING would ask another connection of a cluster's client. */
  private async askSubscriber(): Promise<void> {
    try {
      await within(PING_TIMEOUT_MS, this.subscriber.subscribe(this.channel));
    } catch (error) {
      this.onError(error as Error);
      if (!this.closed && this.subscriber.status === 'ready') this.subscriber.disconnect(true);
    }
  }
}

const publisherOptions: RedisOptions = {
  ...LASTING,
  // A hint is worth nothing later: it fails at once while Redis is away.
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  commandTimeout: PUBLISH_TIMEOUT_MS,
  socketTimeout: PING_TIMEOUT_MS,
  // What is published in one turn of the event loop goes out in one write.
  enableAutoPipelining: true,
};

const subscriberOptions: RedisOptions = {
  ...LASTING,
  maxRetriesPerRequest: null,
  socketTimeout: PING_TIMEOUT_MS,
};
