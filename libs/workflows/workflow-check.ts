import type { ValidateFunction } from 'ajv';
import { computeCost, CreditScriptError } from '#libs/credits/credit-script.js';
import type { FieldFault } from '#libs/errors/app-error.js';
import type { FormConfigs } from '#libs/form-configs/form-configs.js';
import { checkInstructionSet } from '#libs/instruction-set/check.js';
import { joinPath } from '#libs/instruction-set/field-path.js';
import { createValidator, schemaFaults } from '#libs/instruction-set/json-schema.js';
import type { Caller } from '#libs/identity/caller.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';
import type { ScriptSandbox } from '#libs/sandbox/script-sandbox.js';
import { checkForm } from './form-check.js';
import { configNamesOf, optionBytes, withOptions } from './form-options.js';
import { validateVariables } from './form-variables.js';
import { fieldsOf } from './form.js';
import { sampleVariables } from './sample-variables.js';
import { namedSteps, type StepWorkflows } from './step-workflows.js';
import type { WorkflowData } from './stored-workflow.js';
import { findWorkflowKind, WORKFLOW_KINDS, workflowKindNames } from './kinds/index.js';
import type { WorkflowKind } from './kinds/workflow-kind.js';
import { dataSchema } from './workflow-schema.js';

const ajv = createValidator();
const shapes = new Map(WORKFLOW_KINDS.map((kind) => [kind, ajv.compile<WorkflowData>(dataSchema(kind))]));

const UNKNOWN_TYPE: FieldFault = {
  field: 'type',
  message: `must be one of ${workflowKindNames().join(', ')}`,
};

/** Bytes of JSON. A form is sent to whoever looks at the workflow. */
const MAX_FORM_BYTES = 64 * 1024;
/** With the options of its lists. */
const MAX_OPTION_BYTES = 256 * 1024;
const OPTIONS_TOO_LARGE: FieldFault = {
  field: 'data.form', message: 'must not have more than 256 KiB of options with the lists that its fields name',
};
const FORM_TOO_LARGE: FieldFault = { field: 'data.form', message: 'must not be larger than 64 KiB' };

const isFormTooLarge = (data: unknown): boolean => {
  const { form } = Object(data) as Partial<WorkflowData>;
  return form !== undefined && Buffer.byteLength(JSON.stringify(form)) > MAX_FORM_BYTES;
};

/** Checks a workflow as a whole each time it is saved, so that nothing stored can fail for its own fault. */
export class WorkflowCheck {
  constructor(
    private readonly registry: NodeRegistry,
    private readonly sandbox: ScriptSandbox,
    private readonly stepWorkflows: StepWorkflows,
    private readonly configs: Pick<FormConfigs, 'optionsOf'> = { optionsOf: async () => new Map() },
  ) {}

  /**
   * Every fault of `type`, `name` and `data` at once; the other fields are the request's own affair. Steps may
   * name what `author` may use. Runs the credit script with the form's defaults and the `test` variables.
   * `data` is not changed.
   */
  async faultsOf(
    workflow: { name?: unknown; type?: unknown; data?: unknown },
    author: Caller,
  ): Promise<FieldFault[]> {
    const faults = this.nameFaults(workflow.name);
    const kind = findWorkflowKind(workflow.type);
    if (!kind) return [...faults, UNKNOWN_TYPE];
    return [...faults, ...(await this.dataFaults(kind, workflow.data, author))];
  }

  /** A workflow is a step by its name, so it cannot have a built-in node's. */
  private nameFaults(name: unknown): FieldFault[] {
    const node = typeof name === 'string' ? this.registry.find(name) : undefined;
    return node ? [{ field: 'name', message: `is the name of the built-in node ${node.name}` }] : [];
  }

  /** Parts whose shape is sound are checked further, though others are not. */
  private async dataFaults(kind: WorkflowKind, input: unknown, author: Caller): Promise<FieldFault[]> {
    if (isFormTooLarge(input)) return [FORM_TOO_LARGE];
    const validate = shapes.get(kind) as ValidateFunction<WorkflowData>;
    let faults = validate(input) ? [] : schemaFaults(validate, 'data');
    const isSound = (part: string) =>
      !faults.some(({ field }) => field === 'data' || field.startsWith(`data.${part}`));
    const data = isSound('form') ? await this.withOptions(input as WorkflowData) : (input as WorkflowData);
    if (isSound('form') && optionBytes(data.form) > MAX_OPTION_BYTES) return [...faults, OPTIONS_TOO_LARGE];
    if (isSound('pipeline')) faults = faults.concat(await this.pipelineFaults(data, author, isSound('form')));
    if (Object.keys(kind.parts).every(isSound)) {
      faults = faults.concat(await this.ownFaults(kind, data, isSound('form')));
    }
    if (isSound('form')) faults = faults.concat(formFaults(data.form));
    if (isSound('form') && isSound('test')) faults = faults.concat(testFaults(data));
    const isPriceable = ['form', 'test', 'credits'].every(isSound);
    return isPriceable ? [...faults, ...(await this.creditFaults(data))] : faults;
  }

  private async withOptions(data: WorkflowData): Promise<WorkflowData> {
    const names = configNamesOf(data.form);
    return names.length === 0 ? data : { ...data, form: withOptions(data.form, await this.configs.optionsOf(names)) };
  }

  private async ownFaults(kind: WorkflowKind, data: WorkflowData, isFormSound: boolean): Promise<FieldFault[]> {
    const faults = (await kind.check?.(data, isFormSound, this.sandbox)) ?? [];
    return faults.map(({ field, message }) => ({ field: joinPath('data', field), message }));
  }

  /** Without a readable form its fields' names are not known, so that no name is refused. */
  private async pipelineFaults(
    { pipeline, form }: WorkflowData,
    author: Caller,
    isFormReadable: boolean,
  ): Promise<FieldFault[]> {
    if (!pipeline) return [];
    const { steps, variables = {} } = pipeline;
    const variableNames = isFormReadable ? fieldsOf(form).map(({ id }) => id) : null;
    const { registry } = await this.stepWorkflows.find(namedSteps(pipeline), author);
    return checkInstructionSet({ steps, variables }, registry, { at: 'data.pipeline', variableNames });
  }

  private async creditFaults(data: WorkflowData): Promise<FieldFault[]> {
    if (typeof data.credits !== 'string') return [];
    try {
      for (const values of sampleVariables(data)) await computeCost(this.sandbox, data.credits, values);
      return [];
    } catch (error) {
      if (!(error instanceof CreditScriptError)) throw error;
      return [{ field: 'data.credits', message: error.message }];
    }
  }
}

const formFaults = (form: WorkflowData['form']): FieldFault[] =>
  checkForm(form).map(({ field, message }) => ({ field: joinPath('data.form', field), message }));

const testFaults = ({ form, test }: WorkflowData): FieldFault[] =>
  test ? validateVariables(form, test, { at: 'data.test' }).faults : [];
