import { Body, Controller, Delete, Get, Param, Post, Put, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { FormConfigs } from '#libs/form-configs/form-configs.js';
import { Answers, ApiIdempotencyKey } from '../http/answers.js';
import type { Answer } from '../http/envelope.js';
import { Idempotency } from '../http/idempotency.js';
import { PageQuery } from '../http/paging.dto.js';
import { readCursor, toPage, type Page } from '../http/paging.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { FormConfigAnswer, FormConfigBody, ListedFormConfigAnswer } from './form-config.dto.js';

/** Option lists that fields of forms name as `conf_file`. */
@ApiTags('Workflows')
@Controller('form-configs')
export class FormConfigsController {
  constructor(
    private readonly configs: FormConfigs,
    private readonly idempotency: Idempotency,
  ) {}

  /** All of the installation's, newest first, without their options. */
  @Get()
  @Policy('user')
  @Answers({ pageOf: ListedFormConfigAnswer, errors: ['VALIDATION_ERROR'] })
  async list(@Query() { limit, cursor }: PageQuery): Promise<Page<ListedFormConfigAnswer>> {
    const rows = await this.configs.list({ limit, after: readCursor(cursor, ['time', 'uuid']) });
    return toPage(rows, limit, ({ position, id }) => [position, id], ({ position: _position, ...config }) => config);
  }

  /** One, with its options. */
  @Get('name/:name')
  @Policy('user')
  @Answers({ data: FormConfigAnswer, errors: ['NOT_FOUND'] })
  find(@Param('name') name: string): Promise<FormConfigAnswer> {
    return this.configs.findByName(name) as Promise<FormConfigAnswer>;
  }

  /** Stores a list. Takes an `Idempotency-Key`. */
  @Post()
  @Policy('admin')
  @ApiIdempotencyKey()
  @Answers({ status: 201, data: FormConfigAnswer, errors: ['VALIDATION_ERROR', 'NAME_TAKEN'] })
  create(
    @Req() request: FastifyRequest,
    @CurrentCaller() caller: Caller,
    @Body() body: FormConfigBody,
  ): Promise<Answer> {
    return this.idempotency.run(request, caller, async () => body, (tx, input) => this.configs.create(tx, input));
  }

  /** Replaces a list: forms show the new options from then on; jobs keep the values they were submitted with. */
  @Put(':id')
  @Policy('admin')
  @Answers({ data: FormConfigAnswer, errors: ['VALIDATION_ERROR', 'NOT_FOUND', 'NAME_TAKEN'] })
  replace(@Param('id') id: string, @Body() body: FormConfigBody): Promise<FormConfigAnswer> {
    return this.configs.replace(id, body) as Promise<FormConfigAnswer>;
  }

  /** Removes a list. Fields that name it take no value until there is one of that name again. */
  @Delete(':id')
  @Policy('admin')
  @Answers({ errors: ['NOT_FOUND'] })
  async remove(@Param('id') id: string): Promise<void> {
    await this.configs.remove(id);
  }
}
