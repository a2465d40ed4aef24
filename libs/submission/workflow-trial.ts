import type { Transaction } from '#libs/database/database.js';
import { validationError } from '#libs/errors/errors.js';
import type { Accounts } from '#libs/identity/accounts.js';
import type { Caller } from '#libs/identity/caller.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { rewriteReferences } from '#libs/instruction-set/references.js';
import { validateVariables } from '#libs/workflows/form-variables.js';
import { inputForm } from '#libs/workflows/input-form.js';
import type { StepWorkflows } from '#libs/workflows/step-workflows.js';
import { assertExecutable, authorOf, type StoredWorkflow } from '#libs/workflows/stored-workflow.js';
import { toInstructionSet } from '#libs/workflows/to-instruction-set.js';
import type { WorkflowCatalog } from '#libs/workflows/workflow-catalog.js';
import type { WorkflowEstimates } from '#libs/workflows/workflow-estimate.js';
import { filesBrought } from './brought-files.js';
import { collectionJob } from './collection-job.js';
import { jobLabels, type SubmissionLabels } from './job-labels.js';
import type { JobSubmission } from './job-submission.js';
import type { Submissions } from './submissions.js';

const PRIORITY = 50;

/** A request for a trial, checked by itself. */
export interface TrialRequest extends SubmissionLabels {
  /** Null: those of the workflow's `test`, or the form's defaults. */
  variables: JsonObject | null;
}

export interface TrialReceipt {
  job_id: string;
  status: string;
  /** Seconds. */
  estimated_duration: number;
  cost_breakdown: JobSubmission['breakdown'];
  urls: { job_status_url: string; job_events_url: string };
}

export interface PreparedTrial {
  job: JobSubmission;
  estimatedDuration: number;
}

/** One generation of a workflow without a collection, priced and paid like any. */
export class WorkflowTrial {
  constructor(
    private readonly catalog: WorkflowCatalog,
    private readonly estimates: WorkflowEstimates,
    private readonly stepWorkflows: StepWorkflows,
    private readonly accounts: Accounts,
    private readonly submissions: Submissions,
  ) {}

  /**
   * Where no variables are given: with its `test` ones for whoever may read them, else with the form's defaults. Throws `WORKFLOW_NOT_FOUND`,
   * `WORKFLOW_NOT_EXECUTABLE`, `MODEL_UNAVAILABLE`, 400 naming all faults.
   */
  async prepare(caller: Caller, workflowId: string, request: TrialRequest): Promise<PreparedTrial> {
    const { variables } = request;
    const workflow = await this.catalog.find(workflowId, caller);
    assertExecutable(workflow);
    await this.stepWorkflows.assertModelsOf(workflow);
    const { values, faults } = validateVariables(inputForm(workflow), variables ?? sampleFor(workflow, caller));
    if (faults.length > 0) throw validationError(faults);
    const set = toInstructionSet(workflow, values, 1);
    const nodes = await this.stepWorkflows.find(set.steps, authorOf(workflow), [workflow]);
    await this.stepWorkflows.assertModels(set, nodes);
    // Without a collection no component has an id to give: the steps are numbered.
    const numbers = new Map(set.steps.map(({ id }, index) => [String(id), index + 1]));
    const job = collectionJob(
      {
        userId: caller.userId,
        plan: await this.accounts.planOf(caller.userId),
        collectionId: null,
        workflow: { id: workflow.id, version: workflow.version },
        name: `Workflow Test: ${workflow.label ?? workflow.name}`,
        description: null,
        type: 'workflow_test',
        priority: PRIORITY,
        options: filesBrought(workflow, caller.userId, variables ?? {}),
        set: { ...set, steps: rewriteReferences(set.steps, numbers, nodes.registry) },
        price: await this.estimates.priceWorkflow(workflow, values, set, nodes),
        ...jobLabels(request),
      },
      nodes,
    );
    return { job, estimatedDuration: await this.estimates.durations.until(workflow, 1, job) };
  }

  /** Throws `INSUFFICIENT_CREDITS`, `TOO_MANY_INFLIGHT`. */
  async commit(tx: Transaction, { job, estimatedDuration }: PreparedTrial): Promise<TrialReceipt> {
    await this.submissions.submit(tx, job);
    return {
      job_id: job.id,
      status: 'pending',
      estimated_duration: estimatedDuration,
      cost_breakdown: job.breakdown,
      urls: { job_status_url: `/jobs/${job.id}`, job_events_url: `/jobs/${job.id}/events` },
    };
  }
}

const sampleFor = ({ user_id, data }: StoredWorkflow, { userId, role }: Caller): JsonObject =>
  (user_id === userId || role === 'admin' ? data.test : null) ?? {};
