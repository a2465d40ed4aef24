/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/**
 * One node of a graph with its payload. In a stored workflow `id` is the author's; in a collection it
 * is the id of the step's component row, and `fromId` keeps the author's.
 */
export interface Step {
  id: number | string;
  fromId?: number | string;
  nodeName: string;
  nodePayload: JsonObject;
  alias?: string;
}

/** A variable of the list form: what an edition gets is decided by its hash (`variables.ts`). */
export interface VariableDefinition {
  name: string;
  type: 'fixed' | 'pick' | 'weighted_pick' | 'range';
  value_type: 'strings' | 'numbers' | 'images';
  value: { display_names?: string[]; values: Json[]; weights?: number[] };
  lock_value?: boolean;
  test_value?: Json;
}

/** A record `{ name: value }`, or the list form. */
export type Variables = JsonObject | VariableDefinition[];

/** A version of a stored workflow. */
export interface WorkflowPin {
  id: string;
  version: number;
}

/** What a collection makes (`GenerationInput` of the original design): steps, editions, variables. */
export interface InstructionSet {
  version: 'v2';
  steps: Step[];
  generations: { hashes: string[]; generations: number; use_custom_hashes: boolean };
  variables: Variables;
  /** Of a job: the versions of the stored workflows that its steps name, by name, as they were at submission. */
  workflows?: Record<string, WorkflowPin>;
}

/** The set of a collection made from nothing: a draft that cannot generate yet. */
export const EMPTY_INSTRUCTION_SET: InstructionSet = {
  version: 'v2',
  steps: [],
  generations: { hashes: [], generations: 1, use_custom_hashes: false },
  variables: {},
};
