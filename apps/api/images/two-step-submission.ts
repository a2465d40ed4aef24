import type { FastifyRequest } from 'fastify';
import { fieldError, generationNotFound, validationError } from '#libs/errors/errors.js';
import { ImageControl } from '#libs/image-generations/image-control.js';
import { imagesTaken, tooManyImages } from '#libs/image-generations/image-models.js';
import { ImageGenerations } from '#libs/image-generations/image-generations.js';
import { Moderation } from '#libs/image-generations/moderation.js';
import { generateOptimizedPrompt } from '#libs/image-generations/prompts.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { RemoteImages } from '#libs/outbound/remote-images.js';
import { GenerateImage, type PreparedImage } from '#libs/submission/generate-image.js';
import { labelsOf } from '../http/submission-labels.dto.js';
import type { Answer } from '../http/envelope.js';
import { Idempotency } from '../http/idempotency.js';
import { parseUuid } from '../http/ids.js';
import type { Caller } from '../http/policy.js';
import { readBody } from '../http/submitted-body.js';
import {
  BeginGenerationBody, CreateGenerationBody, type BegunGenerationAnswer, type CreatedGenerationAnswer,
  type TwoStepParameters,
} from './two-step.dto.js';

/** The two-step face's way in: a record, its beginning, or both at once. */
export class TwoStepSubmission {
  constructor(
    private readonly images: ImageGenerations,
    private readonly generate: GenerateImage,
    private readonly control: ImageControl,
    private readonly moderation: Moderation,
    private readonly idempotency: Idempotency,
    private readonly remoteImages: RemoteImages,
  ) {}

  /** The 201 of a record. */
  create(request: FastifyRequest, caller: Caller): Promise<Answer> {
    return this.submit(request, caller, false);
  }

  /** The 202, of a record that is named or of a full body. */
  begin(request: FastifyRequest, caller: Caller): Promise<Answer> {
    const isRecord = 'generationId' in Object(request.body);
    return isRecord ? this.beginRecord(request, caller) : this.submit(request, caller, true);
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

  /** Begun together with the answer that is kept under the key: a twin finds both or neither. */
  private beginRecord(request: FastifyRequest, caller: Caller): Promise<Answer> {
    return this.idempotency.run(
      request,
      caller,
      async () => {
        const { body, faults } = await readBody(BeginGenerationBody, request.body);
        if (!body) throw validationError(faults);
        const { id } = await this.images.findTold(caller.userId, parseUuid(body.generationId, generationNotFound));
        return id;
      },
      async (tx, id) => {
        await this.control.begin(tx, caller.userId, id);
        return begunOf(id);
      },
      { status: 202 },
    );
  }

  private async prepare(caller: Caller, raw: unknown, starts: boolean): Promise<PreparedImage> {
    const { body, faults } = await readBody(CreateGenerationBody, raw);
    if (!body) throw validationError(faults);
    const { productImages, modelImages, model, style, quality, aspectRatio, customPrompt } = body;
    this.assertUsable(body);
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

  /** The model's provider has to load the images, and the model to take them all. */
  private assertUsable({ model, productImages, modelImages }: CreateGenerationBody): void {
    for (const [field, urls] of Object.entries({ productImages, modelImages })) {
      const fault = urls.map((url) => this.remoteImages.faultOf(url)).find((each) => each !== null);
      if (fault) throw fieldError(field, fault);
    }
    const taken = imagesTaken(model);
    if (productImages.length + modelImages.length <= taken) return;
    throw fieldError(modelImages.length > 0 ? 'modelImages' : 'productImages', tooManyImages(model));
  }
}

/** A DTO has all its fields, also those that were left out. */
const givenOf = (parameters: TwoStepParameters): JsonObject =>
  Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined));

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
