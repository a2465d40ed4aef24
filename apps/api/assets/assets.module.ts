import { join } from 'node:path';
import { Global, Module } from '@nestjs/common';
import { AssetUploads } from '#libs/assets/asset-uploads.js';
import { createFileUrls, FileUrls } from '#libs/assets/file-urls.js';
import { Spool } from '#libs/assets/spool.js';
import { Environment } from '#libs/config/environment.js';
import { Plans } from '#libs/credits/plans.js';
import { Database } from '#libs/database/database.js';
import { Storage } from '#libs/storage/storage.js';
import { AssetsController } from './assets.controller.js';
import { FilesController } from './files.controller.js';

/** Files in and out. `FileUrls` serves every module whose answers name files. */
@Global()
@Module({
  controllers: [AssetsController, FilesController],
  providers: [
    { provide: FileUrls, inject: [Environment], useFactory: createFileUrls },
    {
      provide: AssetUploads,
      inject: [Database, Storage, Plans, Environment],
      useFactory: (database: Database, storage: Storage, plans: Plans, environment: Environment) =>
        new AssetUploads(database, storage, new Spool(join(environment.PLATEN_HOME, 'spool')), plans, {
          maxBytes: environment.MAX_ASSET_BYTES,
        }),
    },
  ],
  exports: [AssetUploads, FileUrls],
})
export class AssetsModule {}
