import type { Step } from '#libs/instruction-set/instruction-set.js';
import type { NodeDefinition } from '#libs/nodes/node.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import { GenerationRun, type RunControl } from './generation-run.js';
import { LeaseLost, type GenerationState, type GenerationStore, type StepStart } from './generation-store.js';
import { StepRunner } from './step-runner.js';

const never = async (): Promise<never> => {
  throw new Error('no file is here');
};
const quick: NodeDefinition = {
  name: 'quick', aliases: [], title: 'Quick', lane: 'default', payload: {}, timeLimitMs: 1_000,
  immediate: () => true,
  run: async () => ({ kind: 'done', value: 1 }),
};
const steps: Step[] = [{ id: 1, nodeName: 'quick', nodePayload: {} }];

/** What a run writes when it begins. */
async function beginningUnder(leaseNumber: number): Promise<StepStart[]> {
  const begun: StepStart[] = [];
  const store = {
    begin: async (_lease: unknown, _state: unknown, starts: StepStart[]) => {
      begun.push(...starts);
      throw new LeaseLost();
    },
  } as unknown as GenerationStore;
  const runner = new StepRunner(
    new NodeRegistry([quick]), { store: never, read: never, open: never }, { find: async () => new Map() },
  );
  const state = {
    hash: 'oo', values: {}, instructionSet: { steps }, files: null, finished: new Map(), waiting: [],
    records: new Map(), wakeSeq: 0,
  } as unknown as GenerationState;
  const lease = { generationId: 'g', jobId: 'j', number: leaseNumber, lane: 'default' as const, alone: false };
  const control: RunControl = {
    signal: new AbortController().signal, draining: false, wakeSeq: 0,
    changed: () => new Promise(() => undefined), onProgress: () => undefined, onUnexpected: () => undefined,
  };
  expect(await new GenerationRun(store, runner, lease, state, control).run()).toBe('lost');
  return begun;
}

describe(GenerationRun.name, () => {
  it('works immediate steps out before it writes anything, as the first that holds the generation', async () => {
    expect(await beginningUnder(1)).toMatchObject([{ stepId: '1', result: { output: { value: 1 } } }]);
  });

  it('writes their starts first where one who held it before may have died of them', async () => {
    const starts = await beginningUnder(2);
    expect(starts).toMatchObject([{ stepId: '1' }]);
    expect(starts[0]).not.toHaveProperty('result');
  });
});
