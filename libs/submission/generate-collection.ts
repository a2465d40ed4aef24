import type { CollectionMetadata } from '#libs/collections/collection-metadata.js';
import { withComponentIds } from '#libs/collections/drafts.js';
import { originOf, type NewCollection } from '#libs/collections/new-collection.js';
import type { Reservations } from '#libs/collections/reservations.js';
import { AppError, type FieldFault } from '#libs/errors/app-error.js';
import { editionsExhausted, validationError } from '#libs/errors/errors.js';
import type { Accounts } from '#libs/identity/accounts.js';
import type { Caller } from '#libs/identity/caller.js';
import type { InstructionSet, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { tracepoint } from '#libs/tracepoints/tracepoints.js';
import { validateVariables, type ValidatedVariables } from '#libs/workflows/form-variables.js';
import { inputForm } from '#libs/workflows/input-form.js';
import type { StepNodes, StepWorkflows } from '#libs/workflows/step-workflows.js';
import { assertExecutable, authorOf, isExecutable, maxGenerationsOf, type StoredWorkflow } from '#libs/workflows/stored-workflow.js';
import { toInstructionSet } from '#libs/workflows/to-instruction-set.js';
import type { WorkflowCatalog } from '#libs/workflows/workflow-catalog.js';
import type { WorkflowEstimates } from '#libs/workflows/workflow-estimate.js';
import { filesBrought } from './brought-files.js';
import { collectionJob } from './collection-job.js';
import { jobLabels, type SubmissionLabels } from './job-labels.js';
import type { JobSubmission } from './job-submission.js';
import type { KeptAnswer } from './kept-answer.js';
import { receiptOf, type SubmissionReceipt } from './receipt.js';
import type { Submissions } from './submissions.js';

/** The unified call's body, checked by itself. */
export interface GenerateCollectionRequest extends SubmissionLabels {
  title: string;
  description?: string;
  workflow_id: string;
  variables: JsonObject;
  generations: number;
  project_id?: string;
  metadata: CollectionMetadata;
  options: {
    workflow_priority: number;
    auto_publish: boolean;
    generate_preview: boolean;
    save_intermediate_outputs: boolean;
  };
}

/** What of a faulty body can still be held against the workflow. */
export interface PartialRequest {
  workflow_id?: string;
  variables?: JsonObject;
  generations?: number;
}

export interface PreparedCollection {
  collection: NewCollection;
  job: JobSubmission;
  estimatedDuration: number;
}

/** Makes a collection of a workflow and starts its generation, in one go. */
export class GenerateCollection {
  constructor(
    private readonly reservations: Reservations,
    private readonly catalog: WorkflowCatalog,
    private readonly estimates: WorkflowEstimates,
    private readonly stepWorkflows: StepWorkflows,
    private readonly accounts: Accounts,
    private readonly submissions: Submissions,
  ) {}

  /**
   * Checks and prices the request; reads only. Throws, in this order, `WORKFLOW_NOT_FOUND`,
   * `WORKFLOW_NOT_EXECUTABLE`, `MODEL_UNAVAILABLE`, 400 naming all faults of variables and number, `EDITIONS_EXHAUSTED`,
   * `PROJECT_NOT_FOUND`.
   */
  async prepare(caller: Caller, request: GenerateCollectionRequest): Promise<PreparedCollection> {
    tracepoint('submission.before-check');
    const workflow = await this.catalog.find(request.workflow_id, caller);
    assertExecutable(workflow);
    await this.stepWorkflows.assertModelsOf(workflow);
    const { values, faults } = checkAgainst(workflow, request);
    if (faults.length > 0) throw validationError(faults);
    const { editions } = request.metadata;
    if (editions && request.generations > editions) {
      throw editionsExhausted({ editions, taken: 0, more: request.generations });
    }
    const set = toInstructionSet(workflow, values, request.generations);
    const nodes = await this.stepWorkflows.find(set.steps, authorOf(workflow), [workflow]);
    await this.stepWorkflows.assertModels(set, nodes);
    const collection = await this.collectionOf(caller, request, workflow, set, nodes);
    const job = await this.jobOf(caller, request, workflow, collection, { values, nodes });
    const estimatedDuration = await this.estimates.durations.until(workflow, request.generations, job);
    return { collection, job, estimatedDuration };
  }

  /**
   * Writes everything in one statement, with the answer that `keep` makes of the receipt when the request has
   * a key. Throws `INSUFFICIENT_CREDITS`, `TOO_MANY_INFLIGHT`.
   */
  async commit(
    { collection, job, estimatedDuration }: PreparedCollection,
    keep: (receipt: SubmissionReceipt) => KeptAnswer | null = () => null,
  ): Promise<SubmissionReceipt> {
    const receipt = receiptOf(job, collection, estimatedDuration);
    await this.submissions.submitCollection(job, collection, keep(receipt));
    return receipt;
  }

  /** What the workflow has against a body that is faulty itself: a client learns all of it at once. */
  async furtherFaults(caller: Caller, { workflow_id, ...rest }: PartialRequest): Promise<FieldFault[]> {
    if (workflow_id === undefined) return [];
    try {
      const workflow = await this.catalog.find(workflow_id, caller);
      return isExecutable(workflow) ? checkAgainst(workflow, rest).faults : [];
    } catch (error) {
      if (error instanceof AppError) return [];
      throw error;
    }
  }

  private async collectionOf(
    { userId }: Caller,
    request: GenerateCollectionRequest,
    workflow: StoredWorkflow,
    set: InstructionSet,
    { registry }: StepNodes,
  ): Promise<NewCollection> {
    const { title, description, project_id, metadata, options } = request;
    const steps = set.steps.length;
    const reserved = await this.reservations.reserve({
      userId, projectId: project_id ?? null, steps,
      encrypted: metadata.encryption_enabled ?? false, field: 'metadata.encryption_enabled',
    });
    return {
      userId,
      ...reserved,
      data: withComponentIds(set, reserved.componentIds, registry),
      inherits: [],
      metadata: { ...metadata, title, description: description ?? null },
      autoPublish: options.auto_publish,
      origin: originOf(workflow),
    };
  }

  private async jobOf(
    { userId }: Caller,
    request: GenerateCollectionRequest,
    workflow: StoredWorkflow,
    collection: NewCollection,
    { values, nodes }: { values: JsonObject; nodes: StepNodes },
  ): Promise<JobSubmission> {
    const { workflow_priority: priority, ...options } = request.options;
    const parts = {
      userId,
      plan: await this.accounts.planOf(userId),
      collectionId: collection.id,
      workflow: { id: workflow.id, version: workflow.version },
      name: `Generate Collection: ${request.title}`,
      description: `Auto-generation for collection ${collection.id}`,
      type: 'collection_auto_generation' as const,
      priority,
      options: { ...options, ...filesBrought(workflow, userId, request.variables) },
      set: collection.data,
      seal: collection.key?.seal ?? null,
      price: await this.estimates.priceWorkflow(workflow, values, collection.data, nodes),
      ...jobLabels(request),
    };
    return collectionJob(parts, nodes);
  }
}

/** Variables against the form, and the number of generations against its limit. */
function checkAgainst(
  workflow: StoredWorkflow,
  { variables, generations = 1 }: PartialRequest,
): ValidatedVariables {
  const checked = variables ? validateVariables(inputForm(workflow), variables) : { values: {}, faults: [] };
  const limit = maxGenerationsOf(workflow.data);
  if (generations <= limit) return checked;
  const fault = { field: 'generations', message: `Must be between 1 and ${limit}` };
  return { values: checked.values, faults: [...checked.faults, fault] };
}
