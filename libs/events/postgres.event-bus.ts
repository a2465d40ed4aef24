import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import pg from 'pg';
import { SERVER_KEEPALIVE } from '#libs/database/server-keepalive.js';
import { EventBus, type BusMessage } from './event-bus.js';
import { Listeners, type BusListener } from './listeners.js';

const CHANNEL = 'platen_events';
/** Postgres refuses a notification of 8,000 bytes or more. */
const LARGEST_PAYLOAD = 7_999;
const IDS_PER_MESSAGE = 150;
const TIMEOUT_MS = 2_000;
const RECONNECT_MS = 500;
const MAX_WAITING = 1_000;
/** A connection that died silently is found by asking. */
const PING_EVERY_MS = 5_000;

/** LISTEN and NOTIFY of Postgres, on one connection of its own per process. */
export class PostgresEventBus extends EventBus {
  private readonly listeners: Listeners;
  private readonly ping: NodeJS.Timeout;
  /** One statement after another, as the connection takes them. */
  private readonly statements = new PQueue({ concurrency: 1 });
  private client: pg.Client | null = null;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly onError: (error: Error) => void,
  ) {
    super();
    this.listeners = new Listeners(onError);
    this.ping = setInterval(() => void this.query('select 1'), PING_EVERY_MS);
    this.ping.unref();
    void this.connect();
  }

  async publish(message: BusMessage): Promise<void> {
    for (const text of payloads(message)) await this.query('select pg_notify($1, $2)', [CHANNEL, text]);
  }

  subscribe(listener: BusListener): () => void {
    return this.listeners.add(listener);
  }

  healthy(): boolean {
    return this.client !== null;
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.ping);
    const { client } = this;
    this.client = null;
    // A dead connection would not say goodbye.
    await Promise.race([client?.end().catch(this.onError), sleep(TIMEOUT_MS, undefined, { ref: false })]);
  }

  /** Messages are hints: with too many waiting, the next ones are dropped. */
  private async query(sql: string, parameters: unknown[] = []): Promise<void> {
    if (this.statements.size < MAX_WAITING) await this.statements.add(() => this.run(sql, parameters));
  }

  private async run(sql: string, parameters: unknown[]): Promise<void> {
    const { client } = this;
    if (!client) return;
    await client.query(sql, parameters).catch((error: Error) => {
      this.onError(error);
      // Whatever went wrong, a fresh connection is the cure.
      void this.replace(client);
    });
  }

  private async connect(): Promise<void> {
    while (!this.closed && !this.client) {
      const client = new pg.Client({
        connectionString: this.url,
        application_name: 'platen-events',
        connectionTimeoutMillis: TIMEOUT_MS,
        query_timeout: TIMEOUT_MS,
        keepAlive: true,
        options: SERVER_KEEPALIVE,
      });
      client.on('error', (error) => {
        this.onError(error);
        void this.replace(client);
      });
      client.on('notification', ({ payload }) => this.listeners.deliver(payload ?? ''));
      if (await this.listen(client)) return;
      await sleep(RECONNECT_MS, undefined, { ref: false });
    }
  }

  private async listen(client: pg.Client): Promise<boolean> {
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
      if (this.closed) await client.end();
      else this.client = client;
      return true;
    } catch (error) {
      this.onError(error as Error);
      client.end().catch(() => undefined);
      return false;
    }
  }

  private async replace(client: pg.Client): Promise<void> {
    if (this.client !== client) return;
    this.client = null;
    client.end().catch(() => undefined);
    await this.connect();
  }
}

/** The message in pieces that Postgres takes. Of too large a one the hint remains; rows say the rest. */
function payloads(message: BusMessage): string[] {
  if (message.kind === 'cancel' && message.generationIds.length > IDS_PER_MESSAGE) {
    const first = { ...message, generationIds: message.generationIds.slice(0, IDS_PER_MESSAGE) };
    const rest = { ...message, generationIds: message.generationIds.slice(IDS_PER_MESSAGE) };
    return [JSON.stringify(first), ...payloads(rest)];
  }
  const text = JSON.stringify(message);
  if (Buffer.byteLength(text) <= LARGEST_PAYLOAD) return [text];
  if (message.kind !== 'events' || message.events === undefined) return [];
  return payloads({ ...message, events: undefined });
}
