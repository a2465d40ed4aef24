import type { PriceRange, Pricing } from '#libs/credits/pricing.js';
import type { Queryable } from '#libs/database/database.js';
import type { Caller } from '#libs/identity/caller.js';
import type { JsonSchema } from '#libs/nodes/node.js';
import { formSchema } from './form-schema.js';
import { sampleVariables } from './sample-variables.js';
import type { StoredWorkflow, WorkflowData } from './stored-workflow.js';
import { secondsPerGeneration } from './workflow-duration.js';

/** A workflow on the wire. */
export interface WorkflowView {
  id: string;
  name: string;
  label: string | null;
  description: string | null;
  type: string;
  output_mime_type: string | null;
  visibility: 'private' | 'public';
  tags: string[];
  version: number;
  /** All of it for the author and admins, else `form` and `estimated_duration`. */
  data: WorkflowData;
  form_schema: JsonSchema;
  /** Credits. */
  price: PriceRange;
  /** Seconds of one generation. */
  estimated_duration: number;
  created_at: string;
  updated_at: string;
}

/** Shows workflows to a caller, in their order, with what clients need to draw their forms. */
export async function viewWorkflows(
  database: Queryable,
  pricing: Pricing,
  workflows: StoredWorkflow[],
  caller: Caller | undefined,
): Promise<WorkflowView[]> {
  const seconds = await secondsPerGeneration(database, workflows);
  const prices = await Promise.all(
    workflows.map((workflow) => pricing.priceRange(workflow, sampleVariables(workflow.data))),
  );
  return workflows.map((workflow, index) => ({
    id: workflow.id,
    name: workflow.name,
    label: workflow.label,
    description: workflow.description,
    type: workflow.type,
    output_mime_type: workflow.output_mime_type,
    visibility: workflow.visibility,
    tags: workflow.tags,
    version: workflow.version,
    data: mayRead(workflow, caller) ? workflow.data : publicPart(workflow.data),
    form_schema: formSchema(workflow.data.form),
    price: prices[index] as PriceRange,
    estimated_duration: seconds.get(workflow.id) as number,
    created_at: workflow.created_at.toISOString(),
    updated_at: workflow.updated_at.toISOString(),
  }));
}

const mayRead = (workflow: StoredWorkflow, caller: Caller | undefined): boolean =>
  caller !== undefined && (caller.role === 'admin' || caller.userId === workflow.user_id);

const publicPart = ({ form = null, estimated_duration = null }: WorkflowData): WorkflowData => ({
  form,
  estimated_duration,
});
