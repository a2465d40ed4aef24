import type { Step } from '#libs/instruction-set/instruction-set.js';
import { inputFault, type NodeDefinition } from '#libs/nodes/node.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import type { GenerationState } from './generation-store.js';
import { OutputBudget } from './output-budget.js';
import { StepPlanner, type Plan } from './step-planner.js';
import { StepRunner } from './step-runner.js';
import { StepSchedule } from './step-schedule.js';

const never = async (): Promise<never> => {
  throw new Error('no file is here');
};
const nodeOf = (name: string, rest: Partial<NodeDefinition>): NodeDefinition => ({
  name, aliases: [], title: name, lane: 'default', payload: {}, timeLimitMs: 1_000,
  run: async ({ payload }) => ({ kind: 'done', value: payload['value'] ?? null }),
  ...rest,
});
const runner = new StepRunner(
  new NodeRegistry([
    nodeOf('quick', { immediate: () => true }),
    nodeOf('slow', {}),
    nodeOf('wrong', {
      immediate: () => true,
      run: async () => {
        throw inputFault('WRONG', 'It never works');
      },
    }),
    nodeOf('lying', { immediate: () => true, run: async () => ({ kind: 'waiting', reference: 1 }) }),
  ]),
  { store: never, read: never, open: never },
  { find: async () => new Map() },
);
const step = (id: number, nodeName: string, value: unknown = null): Step =>
  ({ id, nodeName, nodePayload: { value } }) as Step;
const chainOf = (length: number) =>
  Array.from({ length }, (_, place) => step(place + 1, 'quick', place === 0 ? 'first' : { $ref: place }));
const going = new AbortController().signal;

function plannerOf(steps: Step[], isFirst = true) {
  const state = {
    hash: 'oo', values: {}, instructionSet: { steps }, files: null,
    finished: new Map(), waiting: [], records: new Map(),
  } as unknown as GenerationState;
  const schedule = new StepSchedule(state, runner.dependenciesOf(steps));
  return { state, planner: new StepPlanner(runner, state, schedule, new OutputBudget([]), isFirst) };
}
const done = (plans: Plan[]) => plans.filter(({ start }) => start.result).map(({ start }) => start.stepId);
const toRun = (plans: Plan[]) => plans.filter(({ start }) => !start.result).map(({ start }) => start.stepId);

describe(StepPlanner.name, () => {
  it('works out a chain of immediate steps in one go, up to what one write is to hold', async () => {
    const { planner, state } = plannerOf(chainOf(250));
    const sizes = [];
    while (state.finished.size < 250) {
      const before = state.finished.size;
      sizes.push((await planner.takeReady(4, going)).length);
      // A machine that stands still for a moment ends the go early, but every go gets on.
      expect(state.finished.size).toBeGreaterThan(before);
    }
    expect(Math.max(...sizes)).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
    expect(state.finished.get('250')?.value).toBe('first');
  });

  it('gives slots to steps that run, not to those that are done', async () => {
    const { planner } = plannerOf([step(1, 'slow'), step(2, 'quick'), step(3, 'slow'), step(4, 'slow')]);
    const plans = await planner.takeReady(2, going);
    // Where the machine stood still, the rest comes with the next go.
    if (toRun(plans).length < 2) plans.push(...(await planner.takeReady(1, going)));
    expect(done(plans)).toEqual(['2']);
    expect(toRun(plans)).toEqual(['1', '3']);
    expect(toRun(await planner.takeReady(1, going))).toEqual(['4']);
  });

  it.each(['wrong', 'lying'])('lets an immediate step that is %s begin as any other', async (name) => {
    const { planner, state } = plannerOf([step(1, name), step(2, 'quick', { $ref: 1 })]);
    expect(toRun(await planner.takeReady(4, going))).toEqual(['1']);
    expect(state.finished.size).toBe(0);
  });

  it('records the start of every step first where another worker may have died of one', async () => {
    const { planner } = plannerOf(chainOf(3), false);
    const plans = await planner.takeReady(4, going);
    expect(toRun(plans)).toEqual(['1']);
    expect(done(plans)).toEqual([]);
  });

  it('stops where the run is to stop', async () => {
    const { planner } = plannerOf(chainOf(3));
    const reason = new Error('the lease is lost');
    await expect(planner.takeReady(4, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
