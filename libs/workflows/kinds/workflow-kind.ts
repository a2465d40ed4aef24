import type { FieldFault } from '#libs/errors/app-error.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { JsonSchema } from '#libs/nodes/node.js';
import type { ScriptSandbox } from '#libs/sandbox/script-sandbox.js';
import type { SystemValues } from '../system-values.js';
import type { WorkflowData } from '../stored-workflow.js';

/**
 * A kind of stored workflow: what it keeps beside form, price and sample, and how it runs. A new kind is one
 * file here, its test, and one line in `index.ts`.
 */
export interface WorkflowKind {
  /** Stored for ever: a literal that outlives refactors. */
  readonly name: string;
  /** Older spellings, stored as `name`. */
  readonly aliases: readonly string[];
  /** JSON Schemas of the parts of `data` that only this kind has. */
  readonly parts: Readonly<Record<string, JsonSchema>>;
  readonly required: readonly string[];
  /**
   * Faults of sound parts beyond their shape, with paths below `data`. `form` is not to be read when its own
   * shape is in doubt: then `isFormSound` is false. Expressions of strangers are tried in `scripts`.
   */
  check?(
    data: WorkflowData,
    isFormSound: boolean,
    scripts: ScriptSandbox,
  ): FieldFault[] | Promise<FieldFault[]>;
  /** Names that its mapping reads, the form's among them: a submission may bring any of them. */
  names?(data: WorkflowData): string[];
  /** How a workflow of this kind runs as one step. Absent: it is a form only, or steps of its own. */
  readonly step?: OneStep;
}

export interface OneStep {
  /** The built-in node that does the work. It takes no step of its own: only stored workflows reach it. */
  readonly node: string;
  /**
   * The node's payload for one edition. `values` are those of the form, checked and with defaults; files among
   * them are `AssetHandle`s or URLs. `outputType` is the workflow's `output_mime_type`.
   */
  payload(data: WorkflowData, values: JsonObject, system: SystemValues, outputType: string | null): JsonObject;
}
