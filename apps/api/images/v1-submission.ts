import type { FastifyRequest } from 'fastify';
import { AssetUploads, INPUT_IMAGES, type AssetUpload } from '#libs/assets/asset-uploads.js';
import { FileUrls } from '#libs/assets/file-urls.js';
import { AppError } from '#libs/errors/app-error.js';
import { fieldError, validationError } from '#libs/errors/errors.js';
import { imagesTaken, tooManyImages } from '#libs/image-generations/image-models.js';
import { Moderation } from '#libs/image-generations/moderation.js';
import type { V1View } from '#libs/image-generations/v1-view.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { GenerateImage, type ImageSubmission, type PreparedImage } from '#libs/submission/generate-image.js';
import { labelsOf } from '../http/submission-labels.dto.js';
import type { Answer } from '../http/envelope.js';
import { Idempotency } from '../http/idempotency.js';
import type { Caller } from '../http/policy.js';
import { readBody } from '../http/submitted-body.js';
import { FirstPrediction } from './first-prediction.js';
import { readV1Form, type InputName, type V1Form } from './v1-form.js';
import { V1GenerationBody } from './v1.dto.js';

const UPLOAD_TIMEOUT_MS = 600_000;

/** The v1 face's way in: form or JSON, with its images. */
export class V1Submission {
  constructor(
    private readonly uploads: AssetUploads,
    private readonly generate: GenerateImage,
    private readonly moderation: Moderation,
    private readonly urls: FileUrls,
    private readonly idempotency: Idempotency,
    private readonly first: FirstPrediction,
  ) {}

  /** The 202, once the prediction exists or 5 s have passed. */
  async submit(request: FastifyRequest, caller: Caller): Promise<Answer> {
    const form = await this.read(request, caller);
    try {
      const answer = await this.idempotency.run(
        request,
        caller,
        () => this.prepare(caller, form),
        async (tx, prepared): Promise<V1View> => {
          for (const upload of form.uploads.values()) await upload.record(tx);
          await this.generate.commit(tx, prepared);
          return this.starting(prepared);
        },
        { status: 202, fingerprint: fingerprintOf(form) },
      );
      return await this.first.answer(request, caller, answer);
    } finally {
      for (const upload of form.uploads.values()) await upload.close();
    }
  }

  private read(request: FastifyRequest, { userId }: Caller): Promise<V1Form> {
    if (!request.isMultipart()) return Promise.resolve({ fields: request.body, uploads: new Map() });
    const signal = AbortSignal.timeout(UPLOAD_TIMEOUT_MS);
    return readV1Form(request, (file) => this.uploads.receive(userId, file, signal, INPUT_IMAGES));
  }

  /** Everything that is cheap is checked before an image is looked at. */
  private async prepare({ userId }: Caller, { fields, uploads }: V1Form): Promise<PreparedImage> {
    const { body, faults } = await readBody(V1GenerationBody, fields);
    if (!body) throw validationError(faults);
    const { prompt, model, aspectRatio, parameters } = body;
    const mode = body.mode ?? (uploads.size > 0 ? 'image_to_image' : 'text_to_image');
    assertFits(body, mode, uploads);
    if (this.moderation.refuses(prompt)) throw fieldError('prompt', 'is refused by moderation');
    const submissionOf = (inputs: string[]): ImageSubmission => ({
      userId, prompt,
      face: 'v1',
      request: { model, mode, aspectRatio, parameters: parameters as JsonObject, inputs },
      images: inputs.map((key) => `/files/${key}`),
      starts: true,
      ...labelsOf(body),
    });
    if (uploads.size > 0) await this.generate.assertPossible(submissionOf([]));
    return this.generate.prepare(submissionOf(await storeAll(uploads)));
  }

  private starting({ job, request, prompt }: PreparedImage): V1View {
    const { model, mode = '', aspectRatio = null, parameters, inputs = [] } = request;
    return {
      id: job.id,
      predictionId: null,
      status: 'starting',
      settings: {
        model, mode, prompt, aspectRatio, parameters, inputs: inputs.map((key) => this.urls.signed(`/files/${key}`)),
      },
      renderId: null,
      variants: [],
      error: null,
      createdAt: new Date().toISOString(),
      completedAt: null,
    };
  }
}

/** What of a body no field can tell by itself. */
function assertFits({ model, parameters }: V1GenerationBody, mode: string, uploads: V1Form['uploads']): void {
  if (mode === 'image_to_image' && !uploads.has('input1')) throw fieldError('input1', 'is required');
  if (mode === 'text_to_image' && uploads.size > 0) throw fieldError('mode', 'must be image_to_image with images');
  if (uploads.size > imagesTaken(model)) throw fieldError('input2', tooManyImages(model));
  // In an instruction set it would make of all inputs what another step gave.
  if (Object.hasOwn(parameters, '$ref')) throw fieldError('parameters.$ref', 'is not an allowed name');
}

/** One after another: each may hold all of an image's pixels. Returns their storage keys. */
async function storeAll(uploads: ReadonlyMap<InputName, AssetUpload>): Promise<string[]> {
  const keys: string[] = [];
  for (const [name, upload] of [...uploads].sort(([one], [other]) => one.localeCompare(other))) {
    keys.push(await upload.store().catch((error: unknown) => refuse(name, error)));
  }
  return keys;
}

/** Which of the two is refused. */
function refuse(name: InputName, error: unknown): never {
  if (!(error instanceof AppError) || !['UNSUPPORTED_MEDIA_TYPE', 'PAYLOAD_TOO_LARGE'].includes(error.code)) throw error;
  throw new AppError(error.code, error.status, `${name}: ${error.message}`, [{ field: name, message: error.message }]);
}

const fingerprintOf = ({ fields, uploads }: V1Form) => ({
  fields, files: [...uploads].map(([name, { fingerprint }]) => ({ input: name, ...fingerprint })),
});
