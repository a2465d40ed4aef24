import { Body, Controller, Delete, Get, Param, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { fieldError } from '#libs/errors/errors.js';
import { SECRET_NAME, Secrets } from '#libs/secrets/secrets.js';
import { Answers } from '../http/answers.js';
import { PageQuery } from '../http/paging.dto.js';
import { readCursor, toPage, type Page } from '../http/paging.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { SecretAnswer, SecretBody } from './secret.dto.js';

/** What a workflow author's calls to other services need: written, listed by name, never read back. */
@ApiTags('Workflows')
@Policy('user')
@Controller('secrets')
export class SecretsController {
  constructor(private readonly secrets: Secrets) {}

  /** The caller's secrets by name, without their values. */
  @Get()
  @Answers({ pageOf: SecretAnswer, errors: ['VALIDATION_ERROR'] })
  async list(
    @CurrentCaller() { userId }: Caller,
    @Query() { limit, cursor }: PageQuery,
  ): Promise<Page<SecretAnswer>> {
    const [after = null] = readCursor(cursor, ['name']) ?? [];
    return toPage(await this.secrets.list(userId, { limit, after }), limit, ({ name }) => [name]);
  }

  /**
   * Stores a secret, or replaces it: the steps that begin from then on use the new value. Headers of the caller's
   * `fetch_api` workflows name it as `{{name}}`.
   */
  @Put(':name')
  @Answers({ data: SecretAnswer, errors: ['VALIDATION_ERROR'] })
  put(
    @CurrentCaller() { userId }: Caller,
    @Param('name') name: string,
    @Body() { value }: SecretBody,
  ): Promise<SecretAnswer> {
    if (!SECRET_NAME.test(name)) {
      throw fieldError('name', 'must be letters, digits, _ and -, 100 at most, and not begin with a digit or -');
    }
    return this.secrets.put(userId, name, value);
  }

  /** Removes a secret. Steps that need it fail from then on. */
  @Delete(':name')
  @Answers({ errors: ['NOT_FOUND'] })
  async remove(@CurrentCaller() { userId }: Caller, @Param('name') name: string): Promise<void> {
    await this.secrets.remove(userId, SECRET_NAME.test(name) ? name : '');
  }
}
