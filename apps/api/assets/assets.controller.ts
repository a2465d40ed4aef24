import { Controller, Delete, Get, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { findAsset, listAssets, maySeeOrigin, outDataFor } from '#libs/assets/asset-queries.js';
import { deleteAsset } from '#libs/assets/asset-removal.js';
import { AssetUploads } from '#libs/assets/asset-uploads.js';
import { presentAsset } from '#libs/assets/asset-view.js';
import { FileUrls } from '#libs/assets/file-urls.js';
import { Database } from '#libs/database/database.js';
import { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { notFound } from '#libs/errors/errors.js';
import { Storage } from '#libs/storage/storage.js';
import { Answers, ApiIdempotencyKey } from '../http/answers.js';
import { Idempotency } from '../http/idempotency.js';
import { parseNumericId } from '../http/ids.js';
import { PageQuery } from '../http/paging.dto.js';
import { readCursor, toPage } from '../http/paging.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { Asset, AssetDetail } from './asset.dto.js';
import { readUpload } from './upload-request.js';

const UPLOAD_TIMEOUT_MS = 600_000;
const FORM = {
  type: 'object',
  required: ['file'],
  properties: { file: { type: 'string', format: 'binary' } },
};
const assetNotFound = () => notFound('Asset');

@ApiTags('Assets')
@Controller('assets')
export class AssetsController {
  constructor(
    private readonly database: Database,
    private readonly storage: Storage,
    private readonly uploads: AssetUploads,
    private readonly urls: FileUrls,
    private readonly idempotency: Idempotency,
    private readonly keys: CollectionKeys,
  ) {}

  /**
   * Takes one PNG, JPEG, WebP, GIF, text, CSV or JSON file, judged by its bytes. Images are encoded again:
   * what is kept has no metadata. 40 megapixels at most, all frames together.
   */
  @Post()
  @Policy('user')
  @ApiConsumes('multipart/form-data')
  @ApiBody({ schema: FORM })
  @ApiIdempotencyKey()
  @Answers({
    status: 201,
    data: Asset,
    errors: ['STORAGE_QUOTA_EXCEEDED', 'IDEMPOTENCY_IN_PROGRESS', 'IDEMPOTENCY_KEY_REUSED'],
  })
  async upload(@Req() request: FastifyRequest, @CurrentCaller() caller: Caller) {
    const signal = AbortSignal.timeout(UPLOAD_TIMEOUT_MS);
    const upload = await readUpload(request, (file) => this.uploads.receive(caller.userId, file, signal));
    try {
      return await this.idempotency.run(
        request,
        caller,
        () => upload.store(),
        async (tx): Promise<Asset> => presentAsset(await upload.record(tx), this.urls),
        { fingerprint: upload.fingerprint },
      );
    } finally {
      await upload.close();
    }
  }

  /** The caller's finished assets and uploads, newest first. */
  @Get()
  @Policy('user')
  @Answers({ pageOf: Asset })
  async list(@CurrentCaller() { userId }: Caller, @Query() { limit, cursor }: PageQuery) {
    const [before = null] = readCursor(cursor, ['bigint']) ?? [];
    const rows = await listAssets(this.database, userId, { limit: limit + 1, before });
    return toPage(rows, limit, ({ id }) => [id], (row): Asset => presentAsset(row, this.urls));
  }

  /** One asset: the caller's own, or one of a published collection. */
  @Get(':id')
  @Policy('public')
  @Answers({ data: AssetDetail, errors: ['NOT_FOUND'] })
  async get(@CurrentCaller() caller: Caller | undefined, @Param('id') id: string): Promise<AssetDetail> {
    const asset = await findAsset(this.database, caller, parseNumericId(id, assetNotFound), this.keys);
    if (!asset) throw assetNotFound();
    const origin = maySeeOrigin(asset, caller);
    return {
      ...presentAsset(asset, this.urls),
      gen_in_data: origin ? asset.gen_in_data : null,
      gen_out_data: origin ? outDataFor(asset, caller) : null,
      job_id: asset.job_id,
      generation_id: asset.generation_id,
    };
  }

  /** Deletes an asset of the caller's, and its bytes. */
  @Delete(':id')
  @Policy('user')
  @Answers({ errors: ['NOT_FOUND'] })
  async delete(@CurrentCaller() { userId }: Caller, @Param('id') id: string): Promise<void> {
    const deleted = await deleteAsset(this.database, this.storage, userId, parseNumericId(id, assetNotFound));
    if (!deleted) throw assetNotFound();
  }
}
