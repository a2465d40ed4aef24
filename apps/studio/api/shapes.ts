import type {
  CollectionAnswer, EstimateAnswer, GenerationAnswer, JobAnswer, JobEventAnswer, JobSummaryAnswer, ListedCollectionAnswer,
  PreviewView, PublicCollectionAnswer, StepAnswer, TokenAnswer, TraitAnswer, WorkflowAnswer,
} from '#libs/client/index.js';

/** What the studio reads of the API's answers: their types, and more of what these leave open. */

export type { Asset, Credits, FieldFault as Fault, LedgerEntry } from '#libs/client/index.js';
export type Estimate = EstimateAnswer;
/** One edition. */
export type Generation = GenerationAnswer;
export type Job = JobAnswer;
export type JobSummary = JobSummaryAnswer;
export type Preview = PreviewView;
export type PublicCollection = PublicCollectionAnswer;
export type Step = StepAnswer;
/** A finished edition with its rarity among the finished ones. */
export type Token = TokenAnswer;
export type Trait = TraitAnswer;

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

/** As lists show it. */
export type Collection = ListedCollectionAnswer;

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
