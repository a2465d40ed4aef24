import { Module } from '@nestjs/common';
import { Database } from '#libs/database/database.js';
import { FormConfigs } from '#libs/form-configs/form-configs.js';
import { FormConfigsController } from './form-configs.controller.js';

const CONFIGS = {
  provide: FormConfigs,
  inject: [Database],
  useFactory: (database: Database) => new FormConfigs(database),
};

/** Option lists that forms share. */
@Module({ controllers: [FormConfigsController], providers: [CONFIGS], exports: [CONFIGS] })
export class FormConfigsModule {}
