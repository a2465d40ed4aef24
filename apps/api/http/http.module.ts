import { Global, Inject, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, DiscoveryModule } from '@nestjs/core';
import { ThrottlerStorage } from '@nestjs/throttler';
import type { Logger } from 'pino';
import { closeInOrder } from '#libs/backing-services/closing.js';
import { LOGGER } from '#libs/backing-services/logger.js';
import { Environment } from '#libs/config/environment.js';
import { Plans } from '#libs/credits/plans.js';
import { Database } from '#libs/database/database.js';
import { createSeal } from '#libs/encryption/index.js';
import { AccessTokens, createAccessTokens } from '#libs/identity/access-tokens.js';
import { Accounts } from '#libs/identity/accounts.js';
import { ApiKeys } from '#libs/identity/api-keys.js';
import { Identity } from '#libs/identity/identity.js';
import { OperatorAccess } from '#libs/identity/operator-access.js';
import { AuthenticationGuard, PolicyGuard } from './authentication.guard.js';
import { EnvelopeInterceptor } from './envelope.interceptor.js';
import { FailureFilter } from './failure.filter.js';
import { Idempotency } from './idempotency.js';
import { PolicyCheck } from './policy-check.js';
import { RateLimitGuard } from './rate-limit.guard.js';
import { createRateLimitStore, type RateLimitStore } from './rate-limit.store.js';
import { UnguardedAnswers } from './unguarded-answers.js';
import { RequestValidationPipe } from './validation.pipe.js';

const PRUNE_EVERY_MS = 60_000;

const SERVICES = [
  { provide: AccessTokens, inject: [Environment], useFactory: createAccessTokens },
  { provide: ApiKeys, inject: [Database], useFactory: (database: Database) => new ApiKeys(database) },
  {
    provide: Accounts,
    inject: [Database, Plans],
    useFactory: (database: Database, plans: Plans) => new Accounts(database, plans),
  },
  {
    provide: Identity,
    inject: [AccessTokens, ApiKeys, Accounts],
    useFactory: (tokens: AccessTokens, keys: ApiKeys, accounts: Accounts) => new Identity(tokens, keys, accounts),
  },
  {
    provide: OperatorAccess,
    inject: [Identity, Environment],
    useFactory: (identity: Identity, { METRICS_TOKEN }: Environment) => new OperatorAccess(identity, METRICS_TOKEN),
  },
  {
    provide: Idempotency,
    inject: [Database, Environment],
    useFactory: (database: Database, environment: Environment) =>
      new Idempotency(database, createSeal(environment, 'kept answers')),
  },
  { provide: ThrottlerStorage, inject: [Environment], useFactory: createRateLimitStore },
];

/** What every request passes, in this order: who calls, how often, may they; then the body's form. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    ...SERVICES,
    PolicyCheck,
    UnguardedAnswers,
    { provide: APP_GUARD, useClass: AuthenticationGuard },
    { provide: APP_GUARD, useClass: RateLimitGuard },
    { provide: APP_GUARD, useClass: PolicyGuard },
    { provide: APP_PIPE, useClass: RequestValidationPipe },
    { provide: APP_INTERCEPTOR, useClass: EnvelopeInterceptor },
    { provide: APP_FILTER, useClass: FailureFilter },
  ],
  exports: SERVICES,
})
export class HttpModule implements OnModuleInit, OnApplicationShutdown {
  private pruning: NodeJS.Timeout | undefined;

  constructor(
    private readonly idempotency: Idempotency,
    @Inject(ThrottlerStorage) private readonly rates: RateLimitStore,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    this.pruning = setInterval(() => {
      this.idempotency.prune().catch((error: unknown) => this.logger.warn({ err: error }, 'idempotency keys not pruned'));
    }, PRUNE_EVERY_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.pruning);
    await closeInOrder([{ name: 'rate limits', close: () => this.rates.close() }], this.logger);
  }
}
