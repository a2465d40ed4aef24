import { ApiClient } from '#libs/fetch-api/api-client.js';
import type { ApiOrder } from '#libs/fetch-api/api-order.js';
import { ApiOutputs } from '#libs/fetch-api/api-outputs.js';
import { ApiStep } from '#libs/fetch-api/api-step.js';
import { BodyFiller } from '#libs/json-inputs/body-filler.js';
import type { OutboundClient } from '#libs/outbound/outbound-client.js';
import { Expressions } from '#libs/sandbox/expressions.js';
import type { ScriptSandbox } from '#libs/sandbox/script-sandbox.js';
import { defineNode } from './node.js';

/** Above what any call may take by its own limits. */
const TIME_LIMIT_MS = 30 * 60_000;

/**
 * Calls an API as a stored workflow describes it. `publicUrl`: where services send results to.
 */
export const fetchApiNode = (scripts: ScriptSandbox, outbound: OutboundClient, publicUrl: string) => {
  const expressions = new Expressions(scripts);
  const step = new ApiStep({
    client: new ApiClient(outbound),
    outputs: new ApiOutputs(outbound),
    bodies: new BodyFiller(expressions),
    expressions,
    publicUrl,
  });
  return defineNode<ApiOrder>({
    name: 'fetch_api',
    aliases: [],
    title: 'Call of an API',
    lane: 'provider',
    storedOnly: true,
    payload: { type: 'object' },
    timeLimitMs: TIME_LIMIT_MS,
    asksOutside: () => true,
    run: (context) => step.run(context),
    poll: (context, reference) => step.poll(context, reference),
    find: async (_context, lostToken) => step.find(lostToken),
  });
};
