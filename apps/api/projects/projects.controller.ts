import { Body, Controller, Get, Param, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Projects, projectView } from '#libs/collections/projects.js';
import { projectNotFound } from '#libs/errors/errors.js';
import { Answers, ApiIdempotencyKey } from '../http/answers.js';
import type { Answer } from '../http/envelope.js';
import { Idempotency } from '../http/idempotency.js';
import { parseUuid } from '../http/ids.js';
import { PageQuery } from '../http/paging.dto.js';
import { readCursor, toPage, type Page } from '../http/paging.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { CreateProjectBody, ProjectAnswer } from './project.dto.js';

@ApiTags('Projects')
@Policy('user')
@Controller('projects')
export class ProjectsController {
  constructor(
    private readonly projects: Projects,
    private readonly idempotency: Idempotency,
  ) {}

  /** The caller's projects, newest first. */
  @Get()
  @Answers({ pageOf: ProjectAnswer, errors: ['VALIDATION_ERROR'] })
  async list(
    @CurrentCaller() caller: Caller,
    @Query() { limit, cursor }: PageQuery,
  ): Promise<Page<ProjectAnswer>> {
    const rows = await this.projects.list(caller.userId, limit + 1, readCursor(cursor, ['time', 'uuid']));
    return toPage(rows, limit, ({ created_at_text, id }) => [created_at_text, id], projectView);
  }

  @Post()
  @ApiIdempotencyKey()
  @Answers({ status: 201, data: ProjectAnswer, errors: ['VALIDATION_ERROR'] })
  create(
    @Req() request: FastifyRequest,
    @CurrentCaller() caller: Caller,
    @Body() { name }: CreateProjectBody,
  ): Promise<Answer> {
    return this.idempotency.run(
      request,
      caller,
      async () => name,
      (tx, prepared) => this.projects.create(tx, caller.userId, prepared),
    );
  }

  @Get(':id')
  @Answers({ data: ProjectAnswer, errors: ['PROJECT_NOT_FOUND'] })
  find(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<ProjectAnswer> {
    return this.projects.find(caller.userId, parseUuid(id, projectNotFound));
  }
}
