import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { Provider } from '#libs/providers/provider.js';
import { defineNode, type JsonSchema } from './node.js';
import { PredictionStep } from './predictions/prediction-step.js';

interface ReplicatePayload {
  model?: string;
  version?: string;
  input: JsonObject;
}

const NAME = '[A-Za-z0-9][A-Za-z0-9._-]{0,99}';
const VERSION = '[0-9a-f]{64}';

const PAYLOAD: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    /** `owner/name` for an official model, `owner/name:version` for any other. */
    model: { type: 'string', pattern: `^${NAME}/${NAME}(:${VERSION})?$` },
    /** A version's id, with or without its model's name. */
    version: { type: 'string', pattern: `^(${NAME}/${NAME}|(${NAME}/${NAME}:)?${VERSION})$` },
    /** What the model takes. A reference to a file, or its `/files` URL, becomes a URL that the model can read. */
    input: {
      type: 'object',
      default: {},
      additionalProperties: { anyOf: [{ asset: 'files' }, { type: 'array', items: { asset: 'files' } }] },
    },
  },
};

/** Runs a model at Replicate. Gives its files, copied at once, and its text. */
export const replicateNode = (replicate: Provider, firstPollMs?: number) => {
  const prediction = new PredictionStep(replicate, firstPollMs);
  return defineNode<ReplicatePayload>({
    name: 'replicate',
    aliases: [],
    title: 'Model at Replicate',
    lane: 'provider',
    payload: PAYLOAD,
    timeLimitMs: 120_000,
    asksOutside: () => true,
    check: ({ model, version }) => {
      if (model === undefined && version === undefined) return [{ path: 'model', message: 'or version is required' }];
      return model === undefined || version === undefined
        ? []
        : [{ path: 'version', message: 'cannot go together with model' }];
    },
    run: (context) => prediction.run(context, callOf(context.payload)),
    poll: (context, reference) => prediction.poll(context, callOf(context.payload), reference),
    find: ({ payload, signal }, lostToken) => prediction.find(callOf(payload), lostToken, signal),
    cancel: (reference, signal) => prediction.cancel(reference, signal),
  });
};

const callOf = ({ model, version, input }: ReplicatePayload) => ({ model: model ?? version ?? '', input });
