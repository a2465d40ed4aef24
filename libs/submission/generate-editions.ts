import { NIL } from 'uuid';
import type { CollectionSource, CollectionSources } from '#libs/collections/collection-source.js';
import { reserveEditions } from '#libs/collections/editions.js';
import type { Price } from '#libs/credits/pricing.js';
import type { Transaction } from '#libs/database/database.js';
import type { FieldFault } from '#libs/errors/app-error.js';
import { validationError } from '#libs/errors/errors.js';
import type { Accounts } from '#libs/identity/accounts.js';
import type { Caller } from '#libs/identity/caller.js';
import { generateHash } from '#libs/instruction-set/hash.js';
import type { InstructionSet, JsonObject, Variables } from '#libs/instruction-set/instruction-set.js';
import { knownFields } from '#libs/instruction-set/known-fields.js';
import { tracepoint } from '#libs/tracepoints/tracepoints.js';
import type { StepNodes, StepWorkflows } from '#libs/workflows/step-workflows.js';
import { authorOf, maxGenerationsOf } from '#libs/workflows/stored-workflow.js';
import { fieldsOf } from '#libs/workflows/form.js';
import type { WorkflowEstimates } from '#libs/workflows/workflow-estimate.js';
import { filesBesides, filesBrought } from './brought-files.js';
import { collectionJob } from './collection-job.js';
import { jobLabels, type SubmissionLabels } from './job-labels.js';
import type { JobSubmission } from './job-submission.js';
import { receiptOf, type SubmissionReceipt } from './receipt.js';
import { applyVariables } from './source-variables.js';
import type { Submissions } from './submissions.js';

/** A request for more of a collection, checked by itself. */
export interface GenerateEditionsRequest extends SubmissionLabels {
  variables: JsonObject;
  generations?: number;
  workflow_id?: string;
  workflow_priority: number;
}

export interface PreparedEditions {
  source: CollectionSource;
  job: JobSubmission;
  estimatedDuration: number;
}

/** Generates from a collection that exists. */
export class GenerateEditions {
  constructor(
    private readonly sources: CollectionSources,
    private readonly estimates: WorkflowEstimates,
    private readonly stepWorkflows: StepWorkflows,
    private readonly accounts: Accounts,
    private readonly submissions: Submissions,
  ) {}

  /**
   * Checks and prices the request against the collection as it is now; the job keeps that set, whatever
   * becomes of the collection. Throws `COLLECTION_NOT_FOUND`, 400 naming all faults,
   * `MODEL_UNAVAILABLE`.
   */
  async prepare(caller: Caller, id: string, request: GenerateEditionsRequest): Promise<PreparedEditions> {
    tracepoint('submission.before-check');
    const found = await this.sources.find({ userId: caller.userId, id });
    const nodes = await this.nodesOf(found, caller);
    const usable = await this.usableIn(found, caller, request, nodes);
    const source = narrowed(found, request, usable);
    const { variables, values, faults } = applyVariables(source, request.variables);
    const all = [...requestFaults(source, request, usable), ...nodeFaults(source, nodes), ...faults];
    if (all.length > 0) throw validationError(all);
    await this.assertImages(caller.userId, source, variables, request);
    const set = { ...source.set, variables, generations: editionsOf(source.set, request.generations) };
    await this.stepWorkflows.assertModels(set, nodes);
    const price = source.workflow
      ? await this.estimates.priceWorkflow(source.workflow, values, set, nodes)
      : await this.estimates.priceSet(set, nodes);
    const job = await this.jobOf(caller, { source, request, set, price, nodes });
    // A set without a workflow has no history of its own to tell how long it takes.
    const measured = source.workflow ?? { id: NIL, data: {} };
    const count = job.generations.length;
    return { source, job, estimatedDuration: await this.estimates.durations.until(measured, count, job) };
  }

  /** Writes the job. Throws `EDITIONS_EXHAUSTED`, `INSUFFICIENT_CREDITS`, `TOO_MANY_INFLIGHT`. */
  async commit(tx: Transaction, prepared: PreparedEditions): Promise<SubmissionReceipt> {
    const { source, job, estimatedDuration } = prepared;
    await reserveEditions(tx, { id: source.id, userId: job.userId }, job.instructionSet.generations.hashes);
    await this.submissions.submit(tx, job);
    return receiptOf(job, source, estimatedDuration);
  }

  /** An image that is gone, or that the set may not reach, fails no step, but the submission. */
  private async assertImages(
    userId: string,
    { borrowed }: CollectionSource,
    variables: Variables,
    request: GenerateEditionsRequest,
  ): Promise<void> {
    const files = borrowed ? (filesBesides(borrowed, request.variables).files ?? []) : null;
    const faults = await this.sources.imageFaults(userId, variables, files);
    if (faults.length > 0) throw validationError(faults);
  }

  /** What came of a workflow may name what its author may use. */
  private nodesOf({ set, workflow }: CollectionSource, caller: Caller): Promise<StepNodes> {
    if (!workflow) return this.stepWorkflows.find(set.steps, caller);
    return this.stepWorkflows.find(set.steps, authorOf(workflow), [workflow]);
  }

  /** What may be asked for alone: of the workflows inside another's only those that the caller may use, too. */
  private async usableIn(
    { set, workflow }: CollectionSource,
    caller: Caller,
    { workflow_id }: GenerateEditionsRequest,
    nodes: StepNodes,
  ): Promise<StepNodes> {
    const isWhole = workflow_id === undefined || workflow_id.toLowerCase() === workflow?.id;
    return isWhole ? nodes : this.stepWorkflows.find(set.steps, caller);
  }

  private async jobOf(
    { userId }: Caller,
    { source, request, set, price, nodes }: EditionParts,
  ): Promise<JobSubmission> {
    const { workflow, title, id } = source;
    const parts = {
      userId,
      plan: await this.accounts.planOf(userId),
      collectionId: id,
      workflow: workflow && { id: workflow.id, version: workflow.version },
      name: `Collection Generation: ${title ?? 'Untitled'}`,
      description: null,
      type: 'collection_generation' as const,
      priority: request.workflow_priority,
      options: source.borrowed
        ? filesBesides(source.borrowed, request.variables)
        : filesBrought(workflow, userId, { ...answered(source), ...request.variables }),
      set,
      seal: source.seal,
      price,
      ...jobLabels(request),
    };
    return collectionJob(parts, nodes);
  }
}

interface EditionParts {
  source: CollectionSource;
  request: GenerateEditionsRequest;
  set: InstructionSet;
  price: Price;
  nodes: StepNodes;
}

/** A workflow among the steps that is asked for by its id runs alone. */
function narrowed(source: CollectionSource, request: GenerateEditionsRequest, nodes: StepNodes): CollectionSource {
  const asked = request.workflow_id?.toLowerCase();
  if (asked === undefined || asked === source.workflow?.id) return source;
  const step = source.set.steps.find(({ nodeName }) => nodes.workflows.get(nodeName)?.id === asked);
  return step ? { ...source, set: { ...source.set, steps: [step] }, workflow: null } : source;
}

/** What the form was answered with before, where that is not what its author preset. */
function answered({ set, workflow }: CollectionSource): JsonObject {
  const { fields } = knownFields(
    Object.fromEntries(fieldsOf(workflow?.data.form).map(({ id }) => [id, `{{${id}}}`])),
    set.variables,
  );
  const preset = new Map(fieldsOf(workflow?.data.form).map((field) => [field.id, field.default]));
  return Object.fromEntries(Object.entries(fields).filter(([id, value]) => value !== preset.get(id)));
}

/** A workflow may be gone since the collection was made. */
const nodeFaults = ({ set }: CollectionSource, { registry }: StepNodes): FieldFault[] =>
  set.steps.flatMap(({ nodeName }, index) =>
    registry.find(nodeName) ? [] : [{ field: `data.steps[${index}].nodeName`, message: `is not a node: "${nodeName}"` }],
  );

function requestFaults(
  { set, workflow }: CollectionSource,
  request: GenerateEditionsRequest,
  { workflows }: StepNodes,
): FieldFault[] {
  const faults: FieldFault[] = [];
  const { hashes, use_custom_hashes } = set.generations;
  if (set.steps.length === 0) {
    faults.push({ field: 'data.steps', message: 'The collection has no steps to generate from' });
  }
  if (use_custom_hashes && (request.generations ?? hashes.length) !== hashes.length) {
    const message = `Must be ${hashes.length}: the collection has custom hashes`;
    faults.push({ field: 'generations', message });
  }
  const limit = workflow ? maxGenerationsOf(workflow.data) : Infinity;
  if ((request.generations ?? set.generations.generations) > limit) {
    faults.push({ field: 'generations', message: `Must be between 1 and ${limit}` });
  }
  const asked = request.workflow_id?.toLowerCase();
  if (asked !== undefined && ![...workflows.values()].some(({ id }) => id === asked)) {
    faults.push({ field: 'workflow_id', message: 'is not a workflow that the collection uses' });
  }
  return faults;
}

/** The set's own hashes where they are custom, else new ones. */
function editionsOf({ generations }: InstructionSet, asked?: number): InstructionSet['generations'] {
  if (generations.use_custom_hashes) return { ...generations, generations: generations.hashes.length };
  const count = asked ?? generations.generations;
  return { ...generations, generations: count, hashes: Array.from({ length: count }, generateHash) };
}
