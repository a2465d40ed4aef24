import { v7 as uuidv7 } from 'uuid';
import { costBreakdown } from '#libs/credits/pricing.js';
import type { Transaction } from '#libs/database/database.js';
import type { Accounts } from '#libs/identity/accounts.js';
import type { ImageFace, ImageRequest } from '#libs/image-generations/image-generation.js';
import { inputOf } from '#libs/image-generations/image-models.js';
import { generateHash } from '#libs/instruction-set/hash.js';
import type { InstructionSet, Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { StepWorkflows } from '#libs/workflows/step-workflows.js';
import type { WorkflowEstimates } from '#libs/workflows/workflow-estimate.js';
import type { JobLabels, JobSubmission } from './job-submission.js';
import type { Submissions } from './submissions.js';

const PRIORITY = 50;
/** A record that nobody begins is given up after this. */
const EXPIRY = '24 hours';

export interface ImageSubmission extends JobLabels {
  userId: string;
  face: ImageFace;
  request: ImageRequest;
  /** As it is sent. */
  prompt: string;
  /** URLs, of `/files` or of the web. */
  images: string[];
  /** False: it waits until its user begins it. */
  starts: boolean;
}

export interface PreparedImage {
  job: JobSubmission;
  request: ImageRequest;
  prompt: string;
}

/** The two-step and v1 faces' way in: one image (or more) of a model, as a job with one `replicate` step. */
export class GenerateImage {
  constructor(
    private readonly estimates: WorkflowEstimates,
    private readonly stepWorkflows: StepWorkflows,
    private readonly accounts: Accounts,
    private readonly submissions: Submissions,
  ) {}

  /** Throws as `commit` would right now, before images are looked at. */
  async assertPossible(submission: ImageSubmission): Promise<void> {
    await this.submissions.assertPossible((await this.prepare(submission)).job);
  }

  /** Prices it. Writes nothing. */
  async prepare({ request, prompt, images, ...submission }: ImageSubmission): Promise<PreparedImage> {
    const { userId, face, starts, tags, externalId, webhook } = submission;
    const set = setOf(request, prompt, images);
    const nodes = this.stepWorkflows.nodesOf([]);
    const price = await this.estimates.priceSet(set, nodes);
    const job: JobSubmission = {
      id: uuidv7(), userId, face, starts, tags, externalId, webhook, price,
      collectionId: null,
      workflow: null,
      name: `Generate Image: ${request.model}`,
      description: null,
      type: 'image_generation',
      priority: PRIORITY,
      plan: await this.accounts.planOf(userId),
      instructionSet: set,
      options: { renders: true },
      lane: 'provider',
      generations: set.generations.hashes.map((hash) => ({ id: uuidv7(), hash })),
      breakdown: costBreakdown(price, 1),
    };
    return { job, request, prompt };
  }

  /** Throws `INSUFFICIENT_CREDITS`, `TOO_MANY_INFLIGHT`, `LIMIT_EXCEEDED`. */
  async commit(tx: Transaction, { job, request, prompt }: PreparedImage): Promise<void> {
    await this.submissions.submit(tx, job);
    await tx.query(
      `insert into image_generation (id, user_id, face, request, prompt, begun_at, expires_at)
       values ($1, $2, $3, $4, $5, case when $6 then now() end, case when not $6 then now() + $7::interval end)`,
      [job.id, job.userId, job.face, JSON.stringify(request), prompt, job.starts, EXPIRY],
    );
  }
}

/** Texts of users are variables: in a payload `{{` would mean something. */
function setOf(request: ImageRequest, prompt: string, images: string[]): InstructionSet {
  const { model, aspectRatio, parameters } = request;
  const variables: JsonObject = {};
  const placed = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(placed);
    const name = `input_${Object.keys(variables).length}`;
    variables[name] = value;
    return `{{${name}}}`;
  };
  const input = Object.entries(inputOf(model, { prompt, images, aspectRatio, parameters }));
  return {
    version: 'v2',
    steps: [{
      id: 1,
      nodeName: 'replicate',
      nodePayload: { model, input: Object.fromEntries(input.map(([name, value]) => [name, placed(value)])) },
    }],
    generations: { hashes: [generateHash()], generations: 1, use_custom_hashes: false },
    variables,
  };
}
