import { Controller, Get, Param, Post, Put, Query, Req, type Type } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { CollectionView } from '#libs/collections/collection.js';
import { Collections, type PublicCollectionView } from '#libs/collections/collections.js';
import { CollectionUpdates } from '#libs/collections/collection-updates.js';
import { CollectionDrafts } from '#libs/collections/drafts.js';
import type { NewCollection } from '#libs/collections/new-collection.js';
import { CollectionLists, type CollectionKey, type ListedRow } from '#libs/collections/collection-lists.js';
import { Database } from '#libs/database/database.js';
import {
  collectionNotFound, fieldError, notFound, projectNotFound, validationError,
} from '#libs/errors/errors.js';
import { Answers, ApiIdempotencyKey } from '../http/answers.js';
import type { Answer } from '../http/envelope.js';
import { Idempotency } from '../http/idempotency.js';
import { parseNumericId, parseUuid } from '../http/ids.js';
import { readCursor, toPage, type Page } from '../http/paging.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { CollectionAnswer, ListedCollectionAnswer, PublicCollectionAnswer } from './collection.dto.js';
import { OwnCollectionsQuery, PublicCollectionsQuery, UpdateCollectionBody } from './collection-life.dto.js';
import { CreateCollectionBody, CreateCollectionQuery } from './create-collection.dto.js';
import { readBody } from '../http/submitted-body.js';

@ApiTags('Collections')
@Policy('user')
@Controller()
export class CollectionsController {
  constructor(
    private readonly collections: Collections,
    private readonly lists: CollectionLists,
    private readonly drafts: CollectionDrafts,
    private readonly updates: CollectionUpdates,
    private readonly database: Database,
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
      { sealed: true },
    );
  }

  /**
   * Changes what a collection says (what is absent stays, what is null is taken back) or makes: a set replaces the
   * whole set, its steps under new ids. What was before stays in the history; jobs go on with the set that they were
   * submitted with.
   */
  @Put('projects/:projectId/collections/:collectionId')
  @ApiBody({ type: UpdateCollectionBody })
  @Answers({
    data: CollectionAnswer,
    errors: ['VALIDATION_ERROR', 'PROJECT_NOT_FOUND', 'COLLECTION_NOT_FOUND', 'EDITIONS_EXHAUSTED'],
  })
  async update(
    @Req() request: FastifyRequest,
    @CurrentCaller() caller: Caller,
    @Param('projectId') project: string,
    @Param('collectionId') collection: string,
  ): Promise<CollectionView> {
    const projectId = parseUuid(project, projectNotFound);
    const id = parseUuid(collection, collectionNotFound);
    const { data, ...metadata } = await this.readCollection(UpdateCollectionBody, caller, request.body);
    const update = await this.updates.prepare(caller, { projectId, id, metadata, data });
    await this.database.transaction((tx) => this.updates.commit(tx, update));
    return this.collections.find(caller.userId, id);
  }

  /** What everyone may look through: published collections that are not archived, newest first. */
  @Get('collections')
  @Policy('public')
  @Answers({ pageOf: ListedCollectionAnswer, errors: ['VALIDATION_ERROR'] })
  async list(
    @Query() { limit, cursor, ...filter }: PublicCollectionsQuery,
  ): Promise<Page<ListedCollectionAnswer>> {
    const after = readCursor(cursor, ['time', 'uuid']) as CollectionKey | null;
    return this.present(limit, await this.lists.published(filter, { limit: limit + 1, after }));
  }

  /** The caller's own, drafts and archived ones as well, newest first. */
  @Get('projects/collections')
  @Answers({ pageOf: ListedCollectionAnswer, errors: ['VALIDATION_ERROR'] })
  async listOwned(
    @CurrentCaller() caller: Caller,
    @Query() { limit, cursor, project_id: project, status, q }: OwnCollectionsQuery,
  ): Promise<Page<ListedCollectionAnswer>> {
    const after = readCursor(cursor, ['time', 'uuid']) as CollectionKey | null;
    return this.present(limit, await this.lists.owned(caller.userId, { project, status, q }, { limit: limit + 1, after }));
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

  private async present(limit: number, rows: ListedRow[]): Promise<Page<ListedCollectionAnswer>> {
    const { items, next_cursor } = toPage(rows, limit, ({ created_at_text, id }) => [created_at_text, id]);
    return { items: await this.lists.present(items), next_cursor };
  }

  private async prepareDraft(
    caller: Caller,
    raw: unknown,
    { project_id, asset_id }: CreateCollectionQuery,
  ): Promise<NewCollection> {
    const { data, ...metadata } = await this.readCollection(CreateCollectionBody, caller, raw);
    if (data && asset_id !== undefined) throw fieldError('asset_id', 'cannot be combined with data');
    return this.drafts.prepare(caller, {
      metadata,
      data,
      assetId: asset_id === undefined ? null : parseNumericId(asset_id, () => notFound('Asset')),
      projectId: project_id === undefined ? null : parseUuid(project_id, projectNotFound),
    });
  }

  /** Faults of the fields and of the set are told together. */
  private async readCollection<Body extends object>(type: Type<Body>, caller: Caller, raw: unknown): Promise<Body> {
    const { body, faults } = await readBody(type, raw);
    if (!body) throw validationError([...(faults ?? []), ...(await this.drafts.furtherFaults(caller, raw))]);
    return body;
  }
}
