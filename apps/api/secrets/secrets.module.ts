import { Module } from '@nestjs/common';
import { Environment } from '#libs/config/environment.js';
import { Database } from '#libs/database/database.js';
import { createSecrets, Secrets } from '#libs/secrets/secrets.js';
import { SecretsController } from './secrets.controller.js';

const SECRETS = {
  provide: Secrets,
  inject: [Database, Environment],
  useFactory: (database: Database, environment: Environment) => createSecrets(database, environment),
};

/** Secrets of workflow authors. */
@Module({ controllers: [SecretsController], providers: [SECRETS], exports: [SECRETS] })
export class SecretsModule {}
