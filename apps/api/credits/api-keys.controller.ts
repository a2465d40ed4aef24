import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Database } from '#libs/database/database.js';
import { forbidden, notFound } from '#libs/errors/errors.js';
import { ApiKeys } from '#libs/identity/api-keys.js';
import { Answers } from '../http/answers.js';
import { parseUuid } from '../http/ids.js';
import { PageQuery } from '../http/paging.dto.js';
import { readCursor, toPage } from '../http/paging.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { ApiKeyRequest, ApiKeyView, CreatedApiKey } from './credits.dto.js';

@ApiTags('Credits and account')
@Policy('user')
@Controller('api-keys')
export class ApiKeysController {
  constructor(
    private readonly database: Database,
    private readonly apiKeys: ApiKeys,
  ) {}

  /** The caller's keys that work, newest first. */
  @Get()
  @Answers({ pageOf: ApiKeyView })
  async list(@CurrentCaller() { userId }: Caller, @Query() { limit, cursor }: PageQuery) {
    const keys = await this.apiKeys.list(userId, { limit, after: readCursor(cursor, ['time', 'uuid']) });
    return toPage(keys, limit, (key) => [key.position, key.id], ({ position: _position, ...key }): ApiKeyView => key);
  }

  /**
   * Makes a key for a server. Its text is in this answer only; so an `Idempotency-Key` is not honoured
   * here: replaying the answer would mean to store the key.
   */
  @Post()
  @Answers({ status: 201, data: CreatedApiKey, errors: ['FORBIDDEN'] })
  async create(@CurrentCaller() caller: Caller, @Body() body: ApiKeyRequest): Promise<CreatedApiKey> {
    const role = body.role ?? 'user';
    if (role === 'admin' && caller.role !== 'admin') throw forbidden();
    return this.apiKeys.create(this.database, caller, body.name, role);
  }

  /** Ends a key at once. */
  @Delete(':id')
  @Answers({ errors: ['NOT_FOUND'] })
  async revoke(@CurrentCaller() { userId }: Caller, @Param('id') id: string): Promise<void> {
    await this.apiKeys.revoke(userId, parseUuid(id, () => notFound('API key')));
  }
}
