import type { FixedPrice } from '#libs/credits/pricing.js';
import type { Json, JsonObject, Step, Variables } from '#libs/instruction-set/instruction-set.js';
import { workflowNotExecutable } from '#libs/errors/errors.js';
import type { Caller } from '#libs/identity/caller.js';
import type { AuthoredForm } from './form.js';

/** The steps of a pipeline; its form's values become variables, read as `{{fieldId}}`. */
export interface Pipeline {
  version?: string | number;
  steps: Step[];
  variables?: Variables;
}

export interface WorkflowData {
  form?: AuthoredForm | null;
  /** A fixed price, or a script that defines `computeCost(context)`. */
  credits?: string | FixedPrice | null;
  pipeline?: Pipeline;
  /** Of other types: their own parts (`kinds`). */
  inputs?: Json;
  workflow?: JsonObject;
  required_models?: JsonObject | null;
  api?: JsonObject;
  body?: Json;
  job?: JsonObject;
  /** Sample variables. */
  test?: JsonObject | null;
  /** Seconds of one generation, until the system knows better. */
  estimated_duration?: number | null;
}

/** What an author saves. */
export interface WorkflowInput {
  name: string;
  label: string | null;
  description: string | null;
  /** The name of a `WorkflowKind`. */
  type: string;
  output_mime_type: string | null;
  visibility: 'private' | 'public';
  tags: string[];
  data: WorkflowData;
}

/** A stored recipe. A version never changes: each save makes a new one. */
export interface StoredWorkflow extends WorkflowInput {
  id: string;
  user_id: string;
  version: number;
  /** An admin's price may lie below what the steps cost. */
  saved_by_admin: boolean;
  created_at: Date;
  updated_at: Date;
}

/** What a version alone tells: enough to make jobs of it and to price them. */
export type WorkflowVersion = Pick<
  StoredWorkflow,
  'id' | 'version' | 'user_id' | 'name' | 'label' | 'type' | 'output_mime_type' | 'data' | 'saved_by_admin'
> & {
  /** Of its form's option lists, if it has any and they are filled in: another with each change of theirs. */
  optionsAsOf?: string;
};

/** What makes jobs and prices of it. */
export type ExecutableWorkflow = Pick<StoredWorkflow, 'name' | 'label' | 'type' | 'output_mime_type' | 'data'>;

/** Whose workflows and secrets its steps may use, whoever runs it. */
export const authorOf = ({ user_id, saved_by_admin }: Pick<StoredWorkflow, 'user_id' | 'saved_by_admin'>): Caller => ({
  userId: user_id,
  role: saved_by_admin ? 'admin' : 'user',
});

/** Whether jobs can be made of it. */
export const isExecutable = (workflow: Pick<WorkflowInput, 'type' | 'output_mime_type'>): boolean =>
  workflow.type !== 'basic' && workflow.output_mime_type !== null;

/** Throws `WORKFLOW_NOT_EXECUTABLE`, naming the field that is missing. */
export function assertExecutable(workflow: Pick<WorkflowInput, 'type' | 'output_mime_type'>): void {
  if (!isExecutable(workflow)) throw workflowNotExecutable(workflow.type === 'basic' ? undefined : 'output_mime_type');
}

/** How many generations one submission may ask for; infinite where the form does not say. */
export const maxGenerationsOf = ({ form }: WorkflowData): number =>
  form?.config?.maxNumberOfGenerations ?? Infinity;
