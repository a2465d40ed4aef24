import type { Step } from '#libs/instruction-set/instruction-set.js';
import type { NodeDefinition } from '#libs/nodes/node.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import { GenerationRun, HandBack, type RunControl } from './generation-run.js';
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
const quickSteps: Step[] = [{ id: 1, nodeName: 'quick', nodePayload: {} }];

interface Run {
  nodes?: NodeDefinition[];
  steps?: Step[];
  leaseNumber?: number;
  signal?: AbortSignal;
}

/** One worker's run of a generation, on a store of the test's own. */
function run(store: Partial<GenerationStore>, { nodes = [quick], steps = quickSteps, leaseNumber = 1, signal }: Run) {
  const runner = new StepRunner(
    new NodeRegistry(nodes), { store: never, read: never, open: never }, { find: async () => new Map() },
  );
  const state = {
    hash: 'oo', values: {}, instructionSet: { steps }, files: null, finished: new Map(), waiting: [],
    records: new Map(), wakeSeq: 0,
  } as unknown as GenerationState;
  const lease = { generationId: 'g', jobId: 'j', number: leaseNumber, lane: 'default' as const, alone: false };
  const control: RunControl = {
    signal: signal ?? new AbortController().signal, draining: false, wakeSeq: 0,
    changed: () => new Promise(() => undefined), onProgress: () => undefined, onUnexpected: () => undefined,
  };
  return new GenerationRun(store as GenerationStore, runner, lease, state, control).run();
}

/** What a run writes when it begins. */
async function beginningUnder(leaseNumber: number): Promise<StepStart[]> {
  const begun: StepStart[] = [];
  const begin: GenerationStore['begin'] = async (_lease, _state, starts) => {
    begun.push(...starts);
    throw new LeaseLost();
  };
  expect(await run({ begin }, { leaseNumber })).toBe('lost');
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

  it('writes what was worked out when the grace ended, before it ends the generation', async () => {
    const stop = new AbortController();
    const { immediate: _never, ...slow } = { ...quick, name: 'slow' };
    const last = { ...quick, name: 'last', run: async () => (stop.abort(new HandBack()), { kind: 'done' as const, value: 1 }) };
    const steps: Step[] = [
      { id: 1, nodeName: 'slow', nodePayload: {} }, { id: 2, nodeName: 'last', nodePayload: { value: { $ref: 1 } } },
    ];
    const written: string[] = [];
    await run(
      {
        begin: async (_lease, _state, starts) =>
          starts.map(({ stepId }) => ({ id: stepId, stepId, number: 1, token: 't' })),
        finish: async (_lease, _state, finished, starts = []) => {
          written.push(...finished.map(({ attempt }) => attempt.stepId), ...starts.map(({ stepId }) => stepId));
        },
      },
      { nodes: [slow, last], steps, signal: stop.signal },
    );
    expect(written).toEqual(['1', '2']);
  });
});
