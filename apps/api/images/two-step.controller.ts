import { Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FileUrls } from '#libs/assets/file-urls.js';
import { generationNotFound } from '#libs/errors/errors.js';
import { ImageControl } from '#libs/image-generations/image-control.js';
import { ImageGenerations } from '#libs/image-generations/image-generations.js';
import { presentTwoStep, type TwoStepView } from '#libs/image-generations/two-step-view.js';
import { ApiPreferWait, HeldAnswers } from '../generations/held-answers.js';
import { LastEventId, streamed } from '../generations/job-events.controller.js';
import { JobStreams } from '../generations/job-streams.js';
import { JobEventsQuery } from '../generations/jobs.dto.js';
import { Answers, ApiErrors, ApiIdempotencyKey } from '../http/answers.js';
import type { Answer } from '../http/envelope.js';
import { parseUuid } from '../http/ids.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { SubmitRate } from '../http/rates.js';
import {
  BeginGenerationBody, BegunGenerationAnswer, CreatedGenerationAnswer, CreateGenerationBody, TwoStepAnswer,
} from './two-step.dto.js';
import { TwoStepSubmission } from './two-step-submission.js';

/** A record first, which reserves its price; its processing when the user says so. */
@ApiTags('Two-step generation')
@Policy('user')
@Controller('api')
export class TwoStepController {
  constructor(
    private readonly submission: TwoStepSubmission,
    private readonly images: ImageGenerations,
    private readonly control: ImageControl,
    private readonly urls: FileUrls,
    private readonly held: HeldAnswers,
    private readonly streams: JobStreams,
  ) {}

  /** Validates, reserves the credits and records. Nothing is made before `POST /api/generate`; after 24 h it expires. */
  @Post('generation/create')
  @SubmitRate()
  @ApiIdempotencyKey()
  @ApiPreferWait()
  @ApiBody({ type: CreateGenerationBody })
  @Answers({
    status: 201,
    data: CreatedGenerationAnswer,
    errors: ['VALIDATION_ERROR', 'INSUFFICIENT_CREDITS', 'LIMIT_EXCEEDED', 'TOO_MANY_INFLIGHT'],
  })
  async create(@Req() request: FastifyRequest, @CurrentCaller() caller: Caller): Promise<Answer> {
    const answer = await this.submission.create(request, caller);
    return this.waited(request, caller, answer);
  }

  /** Begins a record; or, as older clients do, creates one of a full body and begins it at once. */
  @Post('generate')
  @SubmitRate()
  @ApiIdempotencyKey()
  @ApiPreferWait()
  @ApiExtraModels(BeginGenerationBody, CreateGenerationBody)
  @ApiBody({
    schema: { oneOf: [BeginGenerationBody, CreateGenerationBody].map((type) => ({ $ref: getSchemaPath(type) })) },
  })
  @Answers({
    status: 202,
    data: BegunGenerationAnswer,
    errors: [
      'VALIDATION_ERROR', 'GENERATION_NOT_FOUND', 'UNAUTHORIZED', 'INVALID_GENERATION_STATUS', 'INSUFFICIENT_CREDITS',
      'LIMIT_EXCEEDED', 'TOO_MANY_INFLIGHT',
    ],
  })
  async begin(@Req() request: FastifyRequest, @CurrentCaller() caller: Caller): Promise<Answer> {
    const answer = await this.submission.begin(request, caller);
    return this.waited(request, caller, answer);
  }

  /** One of the caller's. */
  @Get('generation/:id')
  @Answers({ data: TwoStepAnswer, errors: ['GENERATION_NOT_FOUND', 'UNAUTHORIZED'] })
  async find(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<TwoStepView> {
    return presentTwoStep(await this.images.findTold(caller.userId, parse(id)), this.urls);
  }

  /** The events of its job, as `GET /jobs/:id/events` streams them; takes the same stream tokens. */
  @Get('generation/:id/events')
  @Policy('public')
  @LastEventId()
  @streamed('`snapshot` with the whole job (ids are event numbers: 1, 2, 3 …), then its events')
  @ApiResponse({ status: 204, description: 'It has ended and `Last-Event-ID` is its last event' })
  @ApiErrors('UNAUTHENTICATED', 'GENERATION_NOT_FOUND', 'UNAUTHORIZED', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE')
  async events(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('id') id: string,
    @Query() { access_token: token }: JobEventsQuery,
  ): Promise<void> {
    const jobId = parse(id);
    await this.streams.open({ request, reply, jobId, token }, (userId) => this.images.findTold(userId, jobId));
  }

  /** Stops it, here and at the provider, and gives its price back. */
  @Post('generation/:id/cancel')
  @Answers({ data: TwoStepAnswer, errors: ['GENERATION_NOT_FOUND', 'UNAUTHORIZED', 'INVALID_GENERATION_STATUS'] })
  async cancel(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<TwoStepView> {
    const { id: generationId } = await this.images.findTold(caller.userId, parse(id));
    await this.control.cancel(caller.userId, generationId);
    return presentTwoStep(await this.images.findTold(caller.userId, generationId), this.urls);
  }

  /** With `Prefer: wait` the answer tells what it has come to. */
  private waited(request: FastifyRequest, caller: Caller, answer: Answer): Promise<Answer> {
    const data = answer.data<{ generationId: string; resultImages?: string[] }>();
    return this.held.untilEnd(request, answer, data.generationId, async () => {
      const generation = await this.images.findTold(caller.userId, data.generationId);
      const { status, message, resultImages } = presentTwoStep(generation, this.urls);
      return { ...data, status, message, ...(data.resultImages && { resultImages }) };
    });
  }
}

const parse = (id: string): string => parseUuid(id, generationNotFound);
