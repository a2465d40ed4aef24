import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { isDatabaseUnavailable } from '#libs/database/database.js';

const RETRY_MS = 1_000;

type Callback = (error: Error | undefined, client: pg.PoolClient | undefined, done: () => void) => void;

/**
 * A pool for BullMQ, which asks for a connection once when a queue or worker begins, and remembers a refusal for
 * ever (`PostgresConnection.waitUntilReady`): here whoever waits for a client waits until Postgres is there. And a
 * client that is lost while BullMQ holds it, without listening, does not end the process.
 */
export class PatientPool extends pg.Pool {
  constructor(
    config: pg.PoolConfig,
    private readonly onError: (error: Error) => void,
  ) {
    super(config);
    this.on('error', onError);
    this.on('connect', (client) => client.on('error', ignore));
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Callback): void;
  override connect(callback?: Callback): Promise<pg.PoolClient> | void {
    // Queries take theirs by callback: they may fail, and are made again.
    return callback ? super.connect(callback) : this.connectAtLast();
  }

  private async connectAtLast(): Promise<pg.PoolClient> {
    for (;;) {
      try {
        return await super.connect();
      } catch (error) {
        if (this.ending || !isDatabaseUnavailable(error)) throw error;
        this.onError(error as Error);
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
  }
}

/** Its statement fails with the same, and the pool replaces it. */
const ignore = () => undefined;
