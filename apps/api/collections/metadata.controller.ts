import { Readable } from 'node:stream';
import { Controller, Get, Param, Query, Req, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { collectionNotFound } from '#libs/errors/errors.js';
import type { ContractMetadata } from '#libs/token-metadata/contract-metadata.js';
import { TokenArchives } from '#libs/token-metadata/token-archive.js';
import {
  TokenCollections, type TokenCollection, type TokenOptions, type TokenView,
} from '#libs/token-metadata/token-collections.js';
import { Answers } from '../http/answers.js';
import { parseUuid } from '../http/ids.js';
import { readCursor, toPage, type Page } from '../http/paging.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { ContractMetadataAnswer, TokenAnswer, TokenMetadataQuery } from './metadata.dto.js';

const ZIP = 'application/zip';

@ApiTags('Collections')
@Policy('public')
@Controller('collections')
export class MetadataController {
  constructor(
    private readonly collections: TokenCollections,
    private readonly archives: TokenArchives,
  ) {}

  /**
   * Token metadata of every finished edition, with its traits and their rarity (OpenRarity): for everyone once the
   * collection is published, for its owner always. With `format=zip` a folder ready to pin.
   */
  @Get(':id/metadata')
  @Answers({ pageOf: TokenAnswer, also: ZIP, errors: ['VALIDATION_ERROR', 'COLLECTION_NOT_FOUND'] })
  async metadata(
    @Req() request: FastifyRequest,
    @CurrentCaller() caller: Caller | undefined,
    @Param('id') id: string,
    @Query() { limit, cursor, format, standard, images_uri: imagesUri }: TokenMetadataQuery,
  ): Promise<Page<TokenView> | StreamableFile> {
    const [after = null] = readCursor(cursor, ['bigint']) ?? [];
    const collection = await this.collections.find(caller?.userId, parseUuid(id, collectionNotFound));
    const options = { standard, imagesUri };
    if (format === 'zip') return this.zip(request, collection, options);
    const tokens = await this.collections.tokens(collection, options, { after, limit: limit + 1 });
    return toPage(tokens, limit, ({ token_id }) => [token_id]);
  }

  /** Metadata of the collection's contract (ERC-7572), seen by whom the editions' are. */
  @Get(':id/contract-metadata')
  @Answers({ data: ContractMetadataAnswer, errors: ['COLLECTION_NOT_FOUND'] })
  async contract(
    @CurrentCaller() caller: Caller | undefined,
    @Param('id') id: string,
  ): Promise<ContractMetadata> {
    return this.collections.contract(
      await this.collections.find(caller?.userId, parseUuid(id, collectionNotFound)),
    );
  }

  private async zip(
    { method }: FastifyRequest,
    collection: TokenCollection,
    options: TokenOptions,
  ): Promise<StreamableFile> {
    // Fastify would read all of it, to send nothing.
    const bytes = method === 'HEAD' ? Readable.from([]) : await this.archives.stream(collection, options);
    return new StreamableFile(bytes, { type: ZIP, disposition: `attachment; filename="${collection.id}.zip"` });
  }
}
