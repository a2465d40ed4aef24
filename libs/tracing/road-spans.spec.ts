import type { GenerationState, Lease, WaitingAttempt } from '#libs/engine/generation-store.js';
import type { NodeDefinition } from '#libs/nodes/node.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import { runSpan, TracedStepRunner } from './road-spans.js';
import { inSpan, traceWith, type SpanPlan } from './spans.js';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const state = {
  jobId: 'job', generationId: 'generation', index: 3, run: 1, trace: TRACE, hash: 'oo', values: {}, files: null,
  instructionSet: { steps: [] },
} as unknown as GenerationState;
const lease = (number: number): Lease => ({ generationId: 'generation', jobId: 'job', number, lane: 'default', alone: false });

const node: NodeDefinition = {
  name: 'echo', aliases: [], title: 'Echo', lane: 'default', payload: {}, timeLimitMs: 1_000,
  run: async () => ({ kind: 'done', value: 1 }),
  poll: async () => ({ kind: 'done', value: 1 }),
};
const fail = async (): Promise<never> => {
  throw new Error('no file is here');
};

describe('the spans of the road', () => {
  const plans: SpanPlan[] = [];

  beforeEach(() => {
    plans.length = 0;
    traceWith({
      start: (plan) => {
        plans.push(plan);
        return { traceparent: TRACE, end: () => undefined };
      },
    });
  });
  afterEach(() => traceWith(undefined));

  /** Runs an attempt within its generation's span, and gives the plan of its own. */
  async function planOf(attempt: { stepId: string; token: string; number?: number }, waiting = false): Promise<SpanPlan> {
    const runner = new TracedStepRunner(new NodeRegistry([node]), { store: fail, read: fail, open: fail }, { find: async () => new Map() });
    const prepared = await runner.prepare(state, { id: 1, nodeName: 'echo', alias: 'for Ada', nodePayload: {} });
    const reference = { ...attempt, reference: 'r' } as unknown as WaitingAttempt;
    const call = {
      state, prepared, attempt, lostTokens: [], signal: new AbortController().signal, logs: [], onProgress: () => undefined,
    };
    await inGeneration(() => runner.run({ ...call, ...(waiting && { waiting: reference }) }));
    return plans.at(-1) as SpanPlan;
  }

  it('of a generation go on, in the trace of its submission, from the hold before', () => {
    const [first, second] = [runSpan(lease(1), state), runSpan(lease(2), state)];
    expect([first.parent, second.parent]).toEqual([TRACE, TRACE]);
    expect([first.continues, second.continues]).toEqual([undefined, first.key]);
  });

  it('of a step go on from the attempt before, in whatever process it was made', async () => {
    const first = await planOf({ stepId: '1', token: 't', number: 1 });
    const second = await planOf({ stepId: '1', token: 'u', number: 2 });
    expect([first.name, first.continues, second.continues]).toEqual(['step echo', undefined, first.key]);
    expect(second.attributes).toMatchObject({ 'platen.node': 'echo', 'platen.step.id': '1', 'platen.attempt': 2 });
  });

  it('of asking after a step go on from its beginning', async () => {
    const begun = await planOf({ stepId: '1', token: 't', number: 1 });
    expect(await planOf({ stepId: '1', token: 't', number: 1 }, true)).toMatchObject({
      name: 'poll echo', continues: begun.key,
    });
  });

  it('of a step say nothing in its author\'s words', async () => {
    expect(JSON.stringify(await planOf({ stepId: '1', token: 't', number: 1 }))).not.toContain('Ada');
  });

  it('of what is only worked out have no name for others', async () => {
    expect((await planOf({ stepId: '1', token: '' })).key).toBeUndefined();
  });
});

const inGeneration = <Result>(work: () => Promise<Result>) => inSpan(() => runSpan(lease(1), state), work);
