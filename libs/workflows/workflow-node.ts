import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { AssetHandle, inputFault, type JsonSchema, type NodeContext, type NodeDefinition } from '#libs/nodes/node.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';
import { validateVariables, type ValidatedVariables } from './form-variables.js';
import { fieldsOf, type AuthoredForm } from './form.js';
import { inputForm } from './input-form.js';
import type { WorkflowVersion } from './stored-workflow.js';
import { systemValuesOf } from './system-values.js';
import { workflowKindOf } from './kinds/index.js';

/** Where steps find their author's secrets. */
export interface SecretReader {
  /** Null: the user has none of that name. */
  reveal(userId: string, name: string): Promise<string | null>;
}

/** Passes for the file that is in its place while the form is checked. */
const A_FILE = '0';

/**
 * A stored workflow as a node: its payload are its form's fields, and its type's built-in node does the work.
 * Undefined for kinds that do not run as one step. `bucket` is what mappings read by that name; `secrets` are
 * those of the workflow's author, whoever runs it.
 */
export function workflowNode(
  workflow: WorkflowVersion,
  builtIn: NodeRegistry,
  bucket: string,
  secrets: SecretReader,
): NodeDefinition | undefined {
  const { step } = workflowKindOf(workflow);
  const node = step && builtIn.find(step.node);
  if (!step || !node) return undefined;
  const { data } = workflow;
  const form = inputForm(workflow);
  const { poll, find, cancel, asksOutside } = node;
  const inner = (context: NodeContext): NodeContext => {
    const values = formValues(form, context.payload);
    const system = systemValuesOf(context, values, bucket);
    const payload = step.payload(data, values, system, workflow.output_mime_type);
    return { ...context, payload, secret: (secret) => revealed(secrets, workflow.user_id, secret) };
  };
  return {
    name: workflow.name,
    aliases: [],
    title: workflow.label ?? workflow.name,
    lane: node.lane,
    payload: payloadSchema(form),
    timeLimitMs: node.timeLimitMs,
    check: (payload) => readValues(form, payload).faults.map(({ field, message }) => ({ path: field, message })),
    ...(asksOutside && { asksOutside }),
    run: (context) => node.run(inner(context)),
    ...(poll && { poll: (context, reference) => poll(inner(context), reference) }),
    ...(find && { find: (context, token) => find(inner(context), token) }),
    ...(cancel && { cancel }),
  };
}

async function revealed(secrets: SecretReader, author: string, name: string): Promise<string> {
  const value = await secrets.reveal(author, name);
  if (value === null) throw inputFault('MISSING_SECRET', `The author of the workflow has no secret named ${name}`);
  return value;
}

/** Says where files may be given. The rest is the form's to judge, in `check`. */
const payloadSchema = (form: AuthoredForm | null | undefined): JsonSchema => ({
  type: 'object',
  properties: Object.fromEntries(
    fieldsOf(form).map(({ id, type }) => [id, type === 'image_loader' ? { asset: true } : {}]),
  ),
});

function formValues(form: AuthoredForm | null | undefined, payload: JsonObject): JsonObject {
  const { values, faults } = readValues(form, payload);
  const [fault] = faults;
  if (fault) throw inputFault('INVALID_PAYLOAD', `${fault.field} ${fault.message}`);
  return values;
}

/** The form's fields as `validateVariables` reads them, with the files among them in their places. */
function readValues(form: AuthoredForm | null | undefined, payload: JsonObject): ValidatedVariables {
  const files = Object.entries(payload).filter(([, value]) => isFile(value));
  const standIns = Object.fromEntries(files.map(([name]) => [name, A_FILE]));
  const { values, faults } = validateVariables(form, { ...payload, ...standIns }, { at: '' });
  return { values: { ...values, ...Object.fromEntries(files) }, faults };
}

const isFile = (value: unknown): boolean => value instanceof AssetHandle;
