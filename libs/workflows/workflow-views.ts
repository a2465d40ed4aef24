import type { PriceRange } from '#libs/credits/pricing.js';
import type { Queryable } from '#libs/database/database.js';
import type { Caller } from '#libs/identity/caller.js';
import type { JsonSchema } from '#libs/nodes/node.js';
import { formSchema } from './form-schema.js';
import { fieldsOf, isRequired } from './form.js';
import type { StoredWorkflow, WorkflowData } from './stored-workflow.js';
import { secondsPerGeneration } from './workflow-duration.js';
import type { WorkflowPrices } from './workflow-prices.js';

/** Fields of a form that a list shows. */
const LISTED_FIELDS = 50;

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
  /** All of it for the author and admins, else `form` and `estimated_duration`; in lists a summary. */
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
  prices: WorkflowPrices,
  workflows: StoredWorkflow[],
  caller: Caller | undefined,
): Promise<WorkflowView[]> {
  return view(database, prices, workflows, ({ user_id, data }) => ({
    data: mayRead(user_id, caller) ? data : publicPart(data),
    form_schema: formSchema(data.form),
  }));
}

/**
 * Shows workflows as a list does, to whomever: of the form only what its first fields are called. A hundred
 * whole ones would be megabytes for anyone to ask for; `form_schema` is that of any form.
 */
export async function summarizeWorkflows(
  database: Queryable,
  prices: WorkflowPrices,
  workflows: StoredWorkflow[],
): Promise<WorkflowView[]> {
  return view(database, prices, workflows, ({ data }) => ({
    data: summaryOf(data),
    form_schema: { type: 'object' },
  }));
}

async function view(
  database: Queryable,
  prices: WorkflowPrices,
  workflows: StoredWorkflow[],
  formOf: (workflow: StoredWorkflow) => Pick<WorkflowView, 'data' | 'form_schema'>,
): Promise<WorkflowView[]> {
  const seconds = await secondsPerGeneration(database, workflows);
  const ranges = await Promise.all(workflows.map((workflow) => prices.rangeOf(workflow)));
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
    ...formOf(workflow),
    price: ranges[index] as PriceRange,
    estimated_duration: seconds.get(workflow.id) as number,
    created_at: workflow.created_at.toISOString(),
    updated_at: workflow.updated_at.toISOString(),
  }));
}

const mayRead = (author: string, caller: Caller | undefined): boolean =>
  caller !== undefined && (caller.role === 'admin' || caller.userId === author);

const publicPart = ({ form = null, estimated_duration = null }: WorkflowData): WorkflowData => ({
  form,
  estimated_duration,
});

const summaryOf = ({ form, estimated_duration = null }: WorkflowData): WorkflowData => ({
  form: {
    fields: fieldsOf(form).slice(0, LISTED_FIELDS).map((field) => ({
      id: field.id,
      name: field.name ?? null,
      type: field.type ?? null,
      required: isRequired(field),
    })),
  },
  estimated_duration,
});
