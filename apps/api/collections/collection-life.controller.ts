import { Controller, Delete, Get, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { readHistory } from '#libs/collections/collection-history.js';
import { deleteCollection } from '#libs/collections/collection-removal.js';
import type { CollectionView } from '#libs/collections/collection.js';
import { Collections } from '#libs/collections/collections.js';
import type { OwnCollection } from '#libs/collections/locked-collection.js';
import { archiveCollection, publishCollection } from '#libs/collections/publication.js';
import { CollectionRemixes } from '#libs/collections/remix.js';
import { Database } from '#libs/database/database.js';
import { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { collectionNotFound, validationError } from '#libs/errors/errors.js';
import { Answers, ApiIdempotencyKey } from '../http/answers.js';
import type { Answer } from '../http/envelope.js';
import { Idempotency } from '../http/idempotency.js';
import { parseUuid } from '../http/ids.js';
import { PageQuery } from '../http/paging.dto.js';
import { encodeCursor, readCursor, type Page } from '../http/paging.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { readBody } from '../http/submitted-body.js';
import { CollectionAnswer } from './collection.dto.js';
import { ArchiveCollectionBody, CollectionHistoryAnswer, RemixCollectionBody } from './collection-life.dto.js';

/** What becomes of a collection after it was made. */
@ApiTags('Collections')
@Policy('user')
@Controller('collections/:id')
export class CollectionLifeController {
  constructor(
    private readonly collections: Collections,
    private readonly remixes: CollectionRemixes,
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly keys: CollectionKeys,
  ) {}

  /**
   * Shows a draft to everyone. It needs a title and a finished generation. Before its `publish_date` it stays a draft,
   * and is published when that comes. One that is published stays so.
   */
  @Post('publish')
  @Answers({ data: CollectionAnswer, errors: ['COLLECTION_NOT_FOUND', 'COLLECTION_NOT_PUBLISHABLE'] })
  async publish(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<CollectionView> {
    const own = ownCollection(caller, id);
    await this.database.transaction((tx) => publishCollection(tx, own));
    return this.collections.find(own.userId, own.id);
  }

  /** Hides it from everyone else; with `{ "archived": false }` shows it again. */
  @Post('archive')
  @ApiBody({ type: ArchiveCollectionBody, required: false })
  @Answers({ data: CollectionAnswer, errors: ['VALIDATION_ERROR', 'COLLECTION_NOT_FOUND'] })
  async archive(
    @Req() request: FastifyRequest,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<CollectionView> {
    const own = ownCollection(caller, id);
    const { body, faults } = await readBody(ArchiveCollectionBody, request.body ?? {});
    if (!body) throw validationError(faults);
    await this.database.transaction((tx) => archiveCollection(tx, own, body.archived));
    return this.collections.find(own.userId, own.id);
  }

  /**
   * Removes it, with its history, for good. Its files are gone at once, their bytes within minutes. Its jobs keep
   * their record; while one of them is open it cannot be removed.
   */
  @Delete()
  @Answers({ errors: ['COLLECTION_NOT_FOUND', 'INVALID_JOB_STATUS'] })
  async delete(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<void> {
    const own = ownCollection(caller, id);
    await this.database.transaction((tx) => deleteCollection(tx, own));
  }

  /**
   * A draft of one's own with the set of a published, remixable collection, or of any of one's own. Files in the set
   * that are not public do not come with it: the step that names one needs another.
   */
  @Post('remix')
  @ApiIdempotencyKey()
  @ApiBody({ type: RemixCollectionBody, required: false })
  @Answers({
    status: 201,
    data: CollectionAnswer,
    errors: ['VALIDATION_ERROR', 'COLLECTION_NOT_FOUND', 'PROJECT_NOT_FOUND'],
  })
  remix(@Req() request: FastifyRequest, @CurrentCaller() caller: Caller, @Param('id') id: string): Promise<Answer> {
    const collectionId = parseUuid(id, collectionNotFound);
    return this.idempotency.run(
      request,
      caller,
      async () => {
        const { body, faults } = await readBody(RemixCollectionBody, request.body ?? {});
        if (!body) throw validationError(faults);
        return this.remixes.prepare(caller, collectionId, body.project_id ?? null);
      },
      (tx, remix) => this.remixes.commit(tx, remix),
      { sealed: true },
    );
  }

  /** Its audit trail, newest first. A page has fewer entries than asked for where they keep large sets. */
  @Get('history')
  @Answers({ pageOf: CollectionHistoryAnswer, errors: ['VALIDATION_ERROR', 'COLLECTION_NOT_FOUND'] })
  async history(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query() { limit, cursor }: PageQuery,
  ): Promise<Page<CollectionHistoryAnswer>> {
    const [before = null] = readCursor(cursor, ['bigint']) ?? [];
    const { entries, next } = await readHistory(this.database, this.keys, ownCollection(caller, id), { limit, before });
    return { items: entries, next_cursor: next && encodeCursor([next]) };
  }
}

const ownCollection = ({ userId }: Caller, id: string): OwnCollection => ({
  id: parseUuid(id, collectionNotFound), userId,
});
