import { Controller, Get, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FileUrls } from '#libs/assets/file-urls.js';
import { fieldError, generationNotFound, validationError } from '#libs/errors/errors.js';
import { ImageControl } from '#libs/image-generations/image-control.js';
import { ImageGenerations } from '#libs/image-generations/image-generations.js';
import { Moderation } from '#libs/image-generations/moderation.js';
import { generateOptimizedPrompt } from '#libs/image-generations/prompts.js';
import { presentTwoStep, type TwoStepView } from '#libs/image-generations/two-step-view.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { GenerateImage, type PreparedImage } from '#libs/submission/generate-image.js';
import { labelsOf } from '../collections/submission-labels.dto.js';
import { EventGateway } from '../generations/event-gateway.js';
import { ApiPreferWait, HeldAnswers, preferredWait } from '../generations/held-answers.js';
import { LastEventId, streamed, streamRequest } from '../generations/job-events.controller.js';
import { Answers, ApiErrors, ApiIdempotencyKey } from '../http/answers.js';
import { Answer, successEnvelope } from '../http/envelope.js';
import { Idempotency } from '../http/idempotency.js';
import { parseUuid } from '../http/ids.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { SubmitRate } from '../http/rates.js';
import { readBody } from '../http/submitted-body.js';
import {
  BeginGenerationBody, BegunGenerationAnswer, CreatedGenerationAnswer, CreateGenerationBody, TwoStepAnswer, TwoStepParameters,
} from './two-step.dto.js';

/** A record first, which reserves its price; its processing when the user says so. */
@ApiTags('Two-step generation')
@Policy('user')
@Controller('api')
export class TwoStepController {
  constructor(
    private readonly images: ImageGenerations,
    private readonly generate: GenerateImage,
    private readonly control: ImageControl,
    private readonly moderation: Moderation,
    private readonly urls: FileUrls,
    private readonly idempotency: Idempotency,
    private readonly held: HeldAnswers,
    private readonly gateway: EventGateway,
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
    const answer = await this.submit(request, caller, false);
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
    const isRecord = 'generationId' in Object(request.body);
    const answer = isRecord ? await this.beginRecord(request, caller) : await this.submit(request, caller, true);
    return this.waited(request, caller, answer);
  }

  /** One of the caller's. */
  @Get('generation/:id')
  @Answers({ data: TwoStepAnswer, errors: ['GENERATION_NOT_FOUND', 'UNAUTHORIZED'] })
  async find(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<TwoStepView> {
    return presentTwoStep(await this.images.findTold(caller.userId, parse(id)), this.urls);
  }

  /** The events of its job, as `GET /jobs/:id/events` streams them. */
  @Get('generation/:id/events')
  @LastEventId()
  @streamed('`snapshot` with the whole job (ids are event numbers: 1, 2, 3 …), then its events')
  @ApiResponse({ status: 204, description: 'It has ended and `Last-Event-ID` is its last event' })
  @ApiErrors('GENERATION_NOT_FOUND', 'UNAUTHORIZED', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE')
  async events(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<void> {
    const generation = await this.images.findTold(caller.userId, parse(id));
    await this.gateway.openJob(streamRequest(request, reply, caller), generation.id);
  }

  /** Stops it, here and at the provider, and gives its price back. */
  @Post('generation/:id/cancel')
  @Answers({ data: TwoStepAnswer, errors: ['GENERATION_NOT_FOUND', 'UNAUTHORIZED', 'INVALID_GENERATION_STATUS'] })
  async cancel(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<TwoStepView> {
    const { id: generationId } = await this.images.findTold(caller.userId, parse(id));
    await this.control.cancel(caller.userId, generationId);
    return presentTwoStep(await this.images.findTold(caller.userId, generationId), this.urls);
  }

  private submit(request: FastifyRequest, caller: Caller, starts: boolean): Promise<Answer> {
    return this.idempotency.run(
      request,
      caller,
      () => this.prepare(caller, request.body, starts),
      async (tx, prepared) => {
        await this.generate.commit(tx, prepared);
        return starts ? { ...recordOf(prepared), ...begunOf(prepared.job.id) } : recordOf(prepared);
      },
      { status: starts ? 202 : 201 },
    );
  }

  /** Beginning has its own transaction, which a second one refuses by the record: only the answer is kept under the key. */
  private beginRecord(request: FastifyRequest, caller: Caller): Promise<Answer> {
    return this.idempotency.run(
      request,
      caller,
      async () => {
        const { body, faults } = await readBody(BeginGenerationBody, request.body);
        if (!body) throw validationError(faults);
        const { id } = await this.images.findTold(caller.userId, parse(body.generationId));
        await this.control.begin(caller.userId, id);
        return id;
      },
      async (_tx, id) => begunOf(id),
      { status: 202 },
    );
  }

  private async prepare(caller: Caller, raw: unknown, starts: boolean): Promise<PreparedImage> {
    const { body, faults } = await readBody(CreateGenerationBody, raw);
    if (!body) throw validationError(faults);
    const { productImages, modelImages, model, style, quality, aspectRatio, customPrompt } = body;
    if (customPrompt && this.moderation.refuses(customPrompt)) throw fieldError('customPrompt', 'is refused by moderation');
    return this.generate.prepare({
      userId: caller.userId,
      face: 'two_step',
      request: {
        model, style, quality, aspectRatio, productImages, modelImages, parameters: givenOf(body.parameters),
      },
      prompt: generateOptimizedPrompt({
        style, quality, aspectRatio, customPrompt, productImages: productImages.length, modelImages: modelImages.length,
      }),
      images: [...productImages, ...modelImages],
      starts,
      ...labelsOf(body),
    });
  }

  /** With `Prefer: wait` the answer tells what it has come to. */
  private async waited(request: FastifyRequest, caller: Caller, answer: Answer): Promise<Answer> {
    if (preferredWait(request) === null) return answer;
    const data = answer.data<{ generationId: string; resultImages?: string[] }>();
    await this.held.untilEnd(request, data.generationId);
    if (answer.replayed) return answer;
    const generation = await this.images.findTold(caller.userId, data.generationId);
    const { status, message, resultImages } = presentTwoStep(generation, this.urls);
    const now = { ...data, status, message, ...(data.resultImages && { resultImages }) };
    return new Answer(answer.status, JSON.stringify(successEnvelope(now)));
  }
}

/** A DTO has all its fields, also those that were left out. */
const givenOf = (parameters: TwoStepParameters): JsonObject =>
  Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined));

const parse = (id: string): string => parseUuid(id, generationNotFound);

const recordOf = ({ job, prompt }: PreparedImage): CreatedGenerationAnswer => ({
  generationId: job.id,
  estimatedCost: job.breakdown.total_credits,
  prompt,
  status: 'pending',
  message: 'Generation record created successfully',
});

const begunOf = (generationId: string): BegunGenerationAnswer => ({
  generationId,
  resultImages: [],
  status: 'processing',
  message: 'Generation processing started successfully',
});
