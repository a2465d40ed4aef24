import { Body, Controller, Delete, Get, Param, Patch, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiExtraModels, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { FileUrls } from '#libs/assets/file-urls.js';
import { generationNotFound } from '#libs/errors/errors.js';
import { ImageControl } from '#libs/image-generations/image-control.js';
import { ImageGenerations } from '#libs/image-generations/image-generations.js';
import { StalePoll } from '#libs/image-generations/stale-poll.js';
import { presentV1, type V1View } from '#libs/image-generations/v1-view.js';
import { ApiPreferWait, HeldAnswers } from '../generations/held-answers.js';
import { Answers, ApiIdempotencyKey } from '../http/answers.js';
import type { Answer } from '../http/envelope.js';
import { parseUuid } from '../http/ids.js';
import { PageQuery } from '../http/paging.dto.js';
import { readCursor, toPage, type Page } from '../http/paging.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { SubmitRate } from '../http/rates.js';
import { V1ActionBody, V1GenerationAnswer, V1GenerationBody } from './v1.dto.js';
import { V1Submission } from './v1-submission.js';

const FILE = { type: 'string', format: 'binary' };

/** Images of one model of Replicate, asked for at once. */
@ApiTags('v1 generations')
@Policy('user')
@Controller('api/v1/generations')
export class V1Controller {
  constructor(
    private readonly submission: V1Submission,
    private readonly images: ImageGenerations,
    private readonly control: ImageControl,
    private readonly stalePoll: StalePoll,
    private readonly urls: FileUrls,
    private readonly held: HeldAnswers,
  ) {}

  /**
   * Takes a form with up to two images (`input1`, `input2`: PNG, JPEG or WebP, 10 MiB and 40 megapixels each), or
   * JSON. Waits up to 5 s for the prediction; later, `predictionId` is null and `GET` has it.
   */
  @Post()
  @SubmitRate()
  @ApiIdempotencyKey()
  @ApiPreferWait()
  @ApiConsumes('application/json', 'multipart/form-data')
  @ApiExtraModels(V1GenerationBody)
  @ApiBody({
    schema: {
      anyOf: [
        { $ref: getSchemaPath(V1GenerationBody) },
        { type: 'object', required: ['prompt'], properties: { prompt: { type: 'string' }, input1: FILE, input2: FILE } },
      ],
    },
  })
  @Answers({
    status: 202,
    data: V1GenerationAnswer,
    errors: [
      'VALIDATION_ERROR', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'INSUFFICIENT_CREDITS', 'LIMIT_EXCEEDED',
      'STORAGE_QUOTA_EXCEEDED', 'TOO_MANY_INFLIGHT', 'UPSTREAM_ERROR',
    ],
  })
  async create(@Req() request: FastifyRequest, @CurrentCaller() caller: Caller): Promise<Answer> {
    const answer = await this.submission.submit(request, caller);
    const { id } = answer.data<V1View>();
    return this.held.untilEnd(request, answer, id, async () =>
      presentV1(await this.images.find('v1', caller.userId, id), this.urls),
    );
  }

  /** The caller's, newest first. */
  @Get()
  @Answers({ pageOf: V1GenerationAnswer, errors: ['VALIDATION_ERROR'] })
  async list(@CurrentCaller() { userId }: Caller, @Query() { limit, cursor }: PageQuery): Promise<Page<V1View>> {
    const after = readCursor(cursor, ['time', 'uuid']);
    const rows = await this.images.list('v1', userId, { limit: limit + 1, after });
    return toPage(
      rows, limit, ({ created_at_text, id }) => [created_at_text, id], (row) => presentV1(row, this.urls),
    );
  }

  /** One of the caller's. If it is open and was not asked after for 5 s, the provider is asked first, once. */
  @Get(':id')
  @Answers({ data: V1GenerationAnswer, errors: ['GENERATION_NOT_FOUND'] })
  async find(@CurrentCaller() { userId }: Caller, @Param('id') id: string): Promise<V1View> {
    const generationId = parse(id);
    const generation = await this.images.find('v1', userId, generationId);
    const mayBeStale = generation.status === 'processing' && generation.prediction !== null;
    const isNews = mayBeStale && (await this.stalePoll.refresh(generationId));
    return presentV1(isNews ? await this.images.find('v1', userId, generationId) : generation, this.urls);
  }

  /** Cancels one that has not ended, at the provider too. */
  @Patch(':id')
  @Answers({
    data: V1GenerationAnswer, errors: ['VALIDATION_ERROR', 'GENERATION_NOT_FOUND', 'INVALID_GENERATION_STATUS'],
  })
  async cancel(
    @CurrentCaller() { userId }: Caller,
    @Param('id') id: string,
    @Body() _action: V1ActionBody,
  ): Promise<V1View> {
    const { id: generationId } = await this.images.find('v1', userId, parse(id));
    await this.control.cancel(userId, generationId);
    return presentV1(await this.images.find('v1', userId, generationId), this.urls);
  }

  /** Removes one that has ended, with its images; their bytes go a day later. */
  @Delete(':id')
  @Answers({ errors: ['GENERATION_NOT_FOUND', 'INVALID_GENERATION_STATUS'] })
  async delete(@CurrentCaller() { userId }: Caller, @Param('id') id: string): Promise<void> {
    const { id: generationId } = await this.images.find('v1', userId, parse(id));
    await this.control.remove(userId, generationId);
  }
}

const parse = (id: string): string => parseUuid(id, generationNotFound);
