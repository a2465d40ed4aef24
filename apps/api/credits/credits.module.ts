import { Module } from '@nestjs/common';
import { Ledger } from '#libs/credits/ledger.js';
import { AdminController } from './admin.controller.js';
import { ApiKeysController } from './api-keys.controller.js';
import { CreditsController } from './credits.controller.js';

/** Money, plans and keys of accounts. */
@Module({
  controllers: [CreditsController, AdminController, ApiKeysController],
  providers: [{ provide: Ledger, useFactory: () => new Ledger() }],
})
export class CreditsModule {}
