import { setTimeout as delay } from 'node:timers/promises';
import type { NodeContext, NodeDefinition } from '#libs/nodes/node.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import type { GenerationState } from './generation-store.js';
import { StepRunner } from './step-runner.js';

const LIMIT_MS = 1;
/** The engine's net hangs three seconds below a node's own limit. */
const NET_MS = LIMIT_MS + 3_000;

const state = { hash: 'oo', values: {}, instructionSet: { steps: [] }, files: null } as unknown as GenerationState;

/** Runs one attempt of a step whose node takes turns, or does not. */
async function run(takesTurns: boolean, work: (context: NodeContext) => Promise<void>): Promise<unknown> {
  const node: NodeDefinition = {
    name: 'worker', aliases: [], title: 'Worker', lane: 'default', payload: {}, timeLimitMs: LIMIT_MS,
    ...(takesTurns && { takesTurns }),
    run: async (context) => (await work(context), { kind: 'done', value: 'worked' }),
  };
  const files = { store: fail, read: fail, open: fail };
  const runner = new StepRunner(new NodeRegistry([node]), files, { find: async () => new Map() });
  const step = { id: 1, nodeName: 'worker', nodePayload: {} };
  const outcome = await runner.run({
    state, prepared: await runner.prepare(state, step), attempt: { stepId: '1', token: 't' },
    lostTokens: [], signal: new AbortController().signal, logs: [], onProgress: () => undefined,
  });
  return outcome.kind === 'done' && outcome.result.value;
}

const fail = async (): Promise<never> => {
  throw new Error('no file is here');
};
const overdue = { code: 'STEP_TIME_LIMIT', permanent: true };
const overTime = ({ signal }: NodeContext) => delay(NET_MS + 500, undefined, { signal });

// Side by side: what takes time is to wait.
describe.each([true, false])('the time of a step, of a node that takes turns: %s', (takesTurns) => {
  const outcomes = new Map<string, Promise<unknown>>();
  beforeAll(() => {
    outcomes.set('waits', run(takesTurns, overTime));
    outcomes.set('works', run(takesTurns, async (context) => (context.startClock(), overTime(context))));
    outcomes.set('begins anew', run(takesTurns, async ({ startClock }) => {
      startClock();
      await delay(NET_MS - 1_000);
      startClock();
      await delay(NET_MS - 1_000);
    }));
    for (const outcome of outcomes.values()) outcome.catch(() => undefined);
  });

  it(takesTurns ? 'does not count the wait for its turn' : 'counts from the start', async () => {
    const waited = outcomes.get('waits')!.catch((error: unknown) => error);
    expect(await waited).toEqual(takesTurns ? 'worked' : expect.objectContaining(overdue));
  }, 30_000);

  it('ends a step whose turn takes too long', async () => {
    await expect(outcomes.get('works')).rejects.toMatchObject(overdue);
  }, 30_000);

  it('counts anew for another try', async () => {
    await expect(outcomes.get('begins anew')).resolves.toBe('worked');
  }, 30_000);
});
