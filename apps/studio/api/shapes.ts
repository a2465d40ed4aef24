import type { CollectionAnswer, JobEventAnswer, WorkflowAnswer } from '#libs/client/index.js';

/** What the studio reads of the API's answers, by the names that it has here; and more of what their types leave open. */
export type {
  Asset, Credits, EstimateAnswer as Estimate, FieldFault as Fault, GenerationAnswer as Generation, JobAnswer as Job,
  JobSummaryAnswer as JobSummary, LedgerEntry, ListedCollectionAnswer as Collection, PreviewView as Preview,
  PublicCollectionAnswer as PublicCollection, StepAnswer as Step, TokenAnswer as Token, TraitAnswer as Trait,
} from '#libs/client/index.js';

export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

/** `node_progress` has no `seq`. */
export type JobEvent = Omit<JobEventAnswer, 'seq' | 'type'> & { type: string; seq?: number };

export interface SetStep {
  id: number | string;
  alias?: string | null;
  nodeName: string;
  nodePayload: unknown;
}

/** As its owner sees it. */
export type OwnCollection = Omit<CollectionAnswer, 'data'> & { data: { steps: SetStep[] } | null };

export interface FormField {
  id: string;
  type?: string;
  group?: string | string[];
  placeholder?: string;
  options?: Array<{ value: string | number | boolean; label?: string; name?: string }>;
}

export interface PropertySchema {
  title?: string;
  type?: string | string[];
  enum?: Array<string | number | boolean>;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  multipleOf?: number;
  'x-step'?: { from: number; by: number };
  pattern?: string;
}

export interface AuthoredForm {
  config?: { maxNumberOfGenerations?: number; groupOrder?: string[] };
  fields?: FormField[];
  main?: FormField[];
  advanced?: FormField[];
}

export type Workflow = Omit<WorkflowAnswer, 'data' | 'form_schema'> & {
  data: { form?: AuthoredForm | null };
  form_schema: { properties?: Record<string, PropertySchema>; required?: string[] };
};
