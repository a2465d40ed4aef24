import type { Environment } from '#libs/config/environment.js';
import type { Database } from '#libs/database/database.js';
import { migrations } from '#libs/database/migrations/index.js';
import type { EventBus } from '#libs/events/event-bus.js';
import type { Storage } from '#libs/storage/storage.js';

const CHECK_TIMEOUT_MS = 3_000;

/** Whether what both the API and the worker stand on is there. */
export class BackingReadiness {
  constructor(
    private readonly environment: Environment,
    private readonly database: Database,
    private readonly storage: Storage,
    private readonly bus: EventBus,
  ) {}

  /** Fails, within 3 s, when the database, its schema or the storage is not there. */
  async check(): Promise<void> {
    const checks = [this.checkMigrations(), this.storage.check()].map((check) => inTime(check));
    const failed = (await Promise.allSettled(checks)).find((check) => check.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** What is away without keeping work from being done: Redis, without which all goes on a little later. */
  get degraded(): string[] {
    return this.environment.REDIS_URL !== undefined && !this.bus.healthy() ? ['redis'] : [];
  }

  private async checkMigrations(): Promise<void> {
    const rows = await this.database.query<{ name: string }>('select name from migration');
    const done = new Set(rows.map(({ name }) => name));
    const missing = migrations.map((Migration) => new Migration().name).filter((name) => !done.has(name));
    if (missing.length > 0) throw new Error(`Migrations are missing: ${missing.join(', ')}`);
  }
}

async function inTime(check: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check, late]);
  } finally {
    clearTimeout(timer);
  }
}
