import {
  Global, Inject, Module, type DynamicModule, type FactoryProvider, type OnApplicationShutdown,
} from '@nestjs/common';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { Environment } from '#libs/config/environment.js';
import { Plans } from '#libs/credits/plans.js';
import { createDataSource } from '#libs/database/data-source.js';
import { Database } from '#libs/database/database.js';
import { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { createKeyManagement } from '#libs/encryption/index.js';
import { SealedStorage } from '#libs/encryption/sealed.storage.js';
import { EventBus } from '#libs/events/event-bus.js';
import { createEventBus } from '#libs/events/index.js';
import { DraftQueue } from '#libs/queue/draft-queue.js';
import { createDraftQueue, createWakeQueue } from '#libs/queue/index.js';
import { WakeQueue } from '#libs/queue/wake-queue.js';
import { createStorage } from '#libs/storage/index.js';
import { Storage } from '#libs/storage/storage.js';
import { closeInOrder } from './closing.js';
import { LOGGER } from './logger.js';
import { assertSameFiles, connectionName, placeOf } from './same-files.js';
import { BackingReadiness } from './readiness.js';

/** Where bytes lie as they lie: all else goes by way of `Storage`, which encrypts what is to be. */
const BARE_STORAGE = Symbol('BARE_STORAGE');

const FACTORIES: FactoryProvider[] = [
  { provide: DataSource, inject: [Environment, BARE_STORAGE], useFactory: connectDatabase },
  { provide: Database, inject: [DataSource], useFactory: (dataSource: DataSource) => new Database(dataSource) },
  {
    provide: WakeQueue,
    inject: [Environment, LOGGER],
    useFactory: (environment: Environment, logger: Logger) => createWakeQueue(carrier(environment, logger, 'queue')),
  },
  {
    provide: DraftQueue,
    inject: [Environment, LOGGER],
    useFactory: (environment: Environment, logger: Logger) => createDraftQueue(carrier(environment, logger, 'drafts')),
  },
  {
    provide: EventBus,
    inject: [Environment, LOGGER],
    useFactory: (environment: Environment, logger: Logger) => createEventBus(carrier(environment, logger, 'events')),
  },
  { provide: BARE_STORAGE, inject: [Environment], useFactory: createStorage },
  {
    provide: CollectionKeys,
    inject: [Database, Environment],
    useFactory: (database: Database, environment: Environment) =>
      new CollectionKeys(database, createKeyManagement(environment)),
  },
  {
    provide: Storage,
    inject: [BARE_STORAGE, CollectionKeys],
    useFactory: (bare: Storage, keys: CollectionKeys) => new SealedStorage(bare, keys),
  },
  {
    provide: BackingReadiness,
    inject: [Environment, Database, Storage, EventBus],
    useFactory: (...parts: ConstructorParameters<typeof BackingReadiness>) => new BackingReadiness(...parts),
  },
  { provide: Plans, inject: [Environment], useFactory: (environment: Environment) => new Plans(environment) },
];

/** What both the API and the worker stand on, made once per process and closed in order at its end. */
@Global()
@Module({})
export class BackingServicesModule implements OnApplicationShutdown {
  static forRoot(environment: Environment, logger: Logger): DynamicModule {
    const given = [
      { provide: Environment, useValue: environment },
      { provide: LOGGER, useValue: logger },
    ];
    const providers = [...given, ...FACTORIES];
    return { module: BackingServicesModule, providers, exports: providers };
  }

  constructor(
    private readonly wakeQueue: WakeQueue,
    private readonly draftQueue: DraftQueue,
    private readonly eventBus: EventBus,
    private readonly storage: Storage,
    private readonly dataSource: DataSource,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Runs after HTTP has closed. What still works needs the database, so that goes last. */
  async onApplicationShutdown(): Promise<void> {
    await closeInOrder(
      [
        { name: 'queue', close: () => this.wakeQueue.close() },
        { name: 'drafts', close: () => this.draftQueue.close() },
        { name: 'events', close: () => this.eventBus.close() },
        { name: 'storage', close: () => this.storage.close() },
        { name: 'database', close: () => this.dataSource.destroy() },
      ],
      this.logger,
    );
  }
}

/** What carries queue and events: Redis where there is one, else Postgres. Outages heal by themselves and are logged. */
const carrier = (environment: Environment, logger: Logger, what: string) => ({
  redisUrl: environment.REDIS_URL,
  databaseUrl: databaseUrl(environment),
  onError: (error: Error) => logger.warn({ err: error }, what),
});

/** Fails beside a process that keeps its files elsewhere. */
async function connectDatabase(environment: Environment, storage: Storage): Promise<DataSource> {
  const place = await placeOf(storage);
  const [url, poolSize, name] = [databaseUrl(environment), environment.DATABASE_POOL, connectionName(place)];
  const source = await createDataSource({ url, poolSize, name }).initialize();
  await assertSameFiles(source, place);
  return source;
}

function databaseUrl({ DATABASE_URL }: Environment): string {
  if (!DATABASE_URL) throw new Error('DATABASE_URL must be set');
  return DATABASE_URL;
}
