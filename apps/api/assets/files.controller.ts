import { Readable } from 'node:stream';
import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiParam, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { findFileByKey, maySee, type StoredAsset } from '#libs/assets/asset-queries.js';
import { hasOpenBytes } from '#libs/assets/asset-row.js';
import { FileUrls } from '#libs/assets/file-urls.js';
import { isMissing } from '#libs/assets/missing-files.js';
import { Database } from '#libs/database/database.js';
import { Environment } from '#libs/config/environment.js';
import { fileMissing, notFound, serviceUnavailable } from '#libs/errors/errors.js';
import { isStorageKey } from '#libs/storage/storage-key.js';
import { ObjectNotFound, Storage, type ByteRange } from '#libs/storage/storage.js';
import { ApiErrors } from '../http/answers.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { answerFor } from './file-answer.js';

type Signature = { expires?: unknown; signature?: unknown };
type FileRequest = { Params: { '*': string }; Querystring: Signature };

/** Long enough for a player that asks for part after part. */
const REDIRECT_SECONDS = 3_600;
const BYTES = { '*/*': { schema: { type: 'string', format: 'binary' } } };

@ApiTags('Assets')
@Policy('public')
@Controller('files')
export class FilesController {
  constructor(
    private readonly database: Database,
    private readonly storage: Storage,
    private readonly urls: FileUrls,
    private readonly environment: Environment,
  ) {}

  /**
   * The bytes of an asset, or of a thumbnail of it: of a published collection, and a render's, for everyone, else for
   * its owner's token or a signed URL. Whatever else is asked for does not exist. Honours `Range`, `If-Range` and `If-None-Match`. Where
   * the installation says so, the storage itself serves the bytes, at the end of a redirect.
   */
  @Get('*')
  @ApiParam({ name: 'path', type: String, description: 'The storage key, with slashes.' })
  @ApiQuery({ name: 'expires', type: String, required: false })
  @ApiQuery({ name: 'signature', type: String, required: false })
  @ApiResponse({ status: 200, description: 'The file', content: BYTES })
  @ApiResponse({ status: 206, description: 'The part that `Range` asks for', content: BYTES })
  @ApiResponse({ status: 302, description: 'Where the storage gives the file, for an hour' })
  @ApiResponse({ status: 304, description: 'Not modified' })
  @ApiResponse({ status: 416, description: 'The range lies outside the file' })
  @ApiErrors('NOT_FOUND')
  async serve(
    @Req() request: FastifyRequest<FileRequest>,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller | undefined,
  ): Promise<void> {
    const key = request.params['*'];
    const asset = await this.find(key, caller, request.query);
    const { status, headers, part } = answerFor(asset, request.headers);
    const wanted = request.method === 'HEAD' ? null : part;
    if (part && asset.is_missing) await this.assertBack(asset);
    const elsewhere = wanted && (await this.elsewhere(key, headers));
    if (elsewhere) return reply.header('cache-control', 'no-store').redirect(elsewhere, 302);
    const bytes = part && (await this.open(key, wanted));
    await reply.status(status).headers(headers).send(bytes);
  }

  private async find(key: string, caller: Caller | undefined, signature: Signature): Promise<StoredAsset> {
    const asset = isStorageKey(key) ? await findFileByKey(this.database, key) : null;
    if (asset && (hasOpenBytes(asset) || maySee(asset, caller) || this.urls.verify(key, signature))) return asset;
    throw notFound('File');
  }

  /** What was missing may be there again: the mark alone keeps nothing from anybody. */
  private async assertBack(asset: StoredAsset): Promise<void> {
    const isGone = await isMissing(this.storage, asset).catch(() => {
      throw serviceUnavailable();
    });
    if (isGone) throw fileMissing();
  }

  /** Where the storage itself gives the file; null: it comes from here. */
  private async elsewhere(key: string, headers: Record<string, string>): Promise<string | null> {
    if (!this.environment.STORAGE_REDIRECT) return null;
    return this.storage.signedUrl(key, {
      expiresInSeconds: Math.min(REDIRECT_SECONDS, this.urls.lifetimeOf(key)),
      contentType: headers['content-type'],
      contentDisposition: headers['content-disposition'],
      cacheControl: headers['cache-control'],
    });
  }

  private async open(key: string, part: ByteRange | 'all' | null): Promise<Readable> {
    // Fastify drains the stream of a HEAD request; without any it would call the file empty.
    if (!part) return Readable.from([]);
    return this.storage.open(key, part === 'all' ? {} : { range: part }).catch((error: unknown) => {
      throw error instanceof ObjectNotFound ? fileMissing() : serviceUnavailable();
    });
  }
}
