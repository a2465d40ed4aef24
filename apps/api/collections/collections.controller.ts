import { Controller, Get, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { CollectionView } from '#libs/collections/collection.js';
import { Collections, type PublicCollectionView } from '#libs/collections/collections.js';
import { CollectionDrafts } from '#libs/collections/drafts.js';
import type { NewCollection } from '#libs/collections/new-collection.js';
import {
  collectionNotFound, fieldError, notFound, projectNotFound, validationError,
} from '#libs/errors/errors.js';
import { Answers, ApiIdempotencyKey } from '../http/answers.js';
import type { Answer } from '../http/envelope.js';
import { Idempotency } from '../http/idempotency.js';
import { parseNumericId, parseUuid } from '../http/ids.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { CollectionAnswer, PublicCollectionAnswer } from './collection.dto.js';
import { CreateCollectionBody, CreateCollectionQuery } from './create-collection.dto.js';
import { readBody } from '../http/submitted-body.js';

@ApiTags('Collections')
@Policy('user')
@Controller()
export class CollectionsController {
  constructor(
    private readonly collections: Collections,
    private readonly drafts: CollectionDrafts,
    private readonly idempotency: Idempotency,
  ) {}

  /** Makes a draft: of an instruction set, of an asset, or empty. */
  @Post('projects/collections')
  @ApiIdempotencyKey()
  @ApiBody({ type: CreateCollectionBody })
  @Answers({
    status: 201,
    data: CollectionAnswer,
    errors: ['VALIDATION_ERROR', 'PROJECT_NOT_FOUND', 'NOT_FOUND'],
  })
  create(
    @Req() request: FastifyRequest,
    @CurrentCaller() caller: Caller,
    @Query() query: CreateCollectionQuery,
  ): Promise<Answer> {
    return this.idempotency.run(
      request,
      caller,
      () => this.prepareDraft(caller, request.body, query),
      (tx, draft) => this.drafts.commit(tx, draft),
    );
  }

  /** The owner's full view. */
  @Get('collections/:id')
  @Answers({ data: CollectionAnswer, errors: ['COLLECTION_NOT_FOUND'] })
  find(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<CollectionView> {
    return this.collections.find(caller.userId, parseUuid(id, collectionNotFound));
  }

  /** What everyone sees of a published collection; its owner sees a draft, too. */
  @Get('collections/:id/public')
  @Policy('public')
  @Answers({ data: PublicCollectionAnswer, errors: ['COLLECTION_NOT_FOUND'] })
  findPublic(
    @CurrentCaller() caller: Caller | undefined,
    @Param('id') id: string,
  ): Promise<PublicCollectionView> {
    return this.collections.findPublic(caller?.userId, parseUuid(id, collectionNotFound));
  }

  private async prepareDraft(
    caller: Caller,
    raw: unknown,
    { project_id, asset_id }: CreateCollectionQuery,
  ): Promise<NewCollection> {
    const { body, faults } = await readBody(CreateCollectionBody, raw);
    if (!body) throw validationError([...faults, ...(await this.drafts.furtherFaults(caller, raw))]);
    const { data, ...metadata } = body;
    if (data && asset_id !== undefined) throw fieldError('asset_id', 'cannot be combined with data');
    return this.drafts.prepare(caller, {
      metadata,
      data,
      assetId: asset_id === undefined ? null : parseNumericId(asset_id, () => notFound('Asset')),
      projectId: project_id === undefined ? null : parseUuid(project_id, projectNotFound),
    });
  }
}
