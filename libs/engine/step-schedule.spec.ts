import type { Step } from '#libs/instruction-set/instruction-set.js';
import type { GenerationState, StepRecord, WaitingAttempt } from './generation-store.js';
import { StepSchedule } from './step-schedule.js';

const step = (id: number): Step => ({ id, nodeName: 'echo', nodePayload: {} });
const none = { assets: [], value: null, traits: [] };
const attempt: WaitingAttempt = {
  id: '1', stepId: '1', number: 1, token: 't', reference: null, dueInMs: null, timeoutInMs: null,
};
const record = (retryInMs: number | null): StepRecord => ({ attempts: 1, failures: 1, retryInMs, lostTokens: [] });

/** Steps 1 … n, what each needs, and what is known of them already. */
function schedule(needs: Record<number, number[]>, known: Partial<GenerationState> = {}): StepSchedule {
  const ids = Object.keys(needs).map(Number);
  const state = {
    instructionSet: { steps: ids.map(step) }, finished: new Map(), waiting: [], records: new Map(), ...known,
  } as unknown as GenerationState;
  return new StepSchedule(state, new Map(ids.map((id) => [String(id), (needs[id] ?? []).map(String)])));
}
const ids = (steps: Step[]) => steps.map(({ id }) => id);

describe('a schedule of steps', () => {
  afterEach(() => jest.useRealTimers());

  it('gives each step once, when all its inputs are there', () => {
    const plan = schedule({ 1: [], 2: [], 3: [1, 2], 4: [3] });
    expect(ids(plan.takeReady(1))).toEqual([1]);
    expect(ids(plan.takeReady(9))).toEqual([2]);
    expect(plan.hasWork()).toBe(false);
    plan.finish('1');
    expect(plan.hasWork()).toBe(false);
    plan.finish('2');
    expect(ids(plan.takeReady(9))).toEqual([3]);
    plan.finish('3');
    expect(ids(plan.takeReady(9))).toEqual([4]);
  });

  it('goes on from what is finished, waits or is to be tried again', () => {
    jest.useFakeTimers();
    const plan = schedule({ 1: [], 2: [], 3: [2], 4: [] }, {
      finished: new Map([['2', none]]), waiting: [attempt], records: new Map([['4', record(20)]]),
    });
    expect(ids(plan.takeReady(9))).toEqual([3]);
    expect(plan.takeDue(9)).toMatchObject([{ stepId: '1' }]);
    expect(plan.dueInMs()).toBe(20);
    jest.advanceTimersByTime(20);
    expect(plan.hasWork()).toBe(true);
    expect(ids(plan.takeReady(9))).toEqual([4]);
    expect(plan.dueInMs()).toBeNull();
  });

  it('asks after what waits when its time has come, its deadline is over, or something woke it', () => {
    const plan = schedule({ 1: [], 2: [] });
    plan.takeReady(2);
    plan.wait(attempt, null, null);
    expect(plan.dueInMs()).toBeNull();
    plan.wake();
    expect(plan.takeDue(0)).toEqual([]);
    expect(plan.takeDue(1)).toHaveLength(1);
    plan.wait(attempt, 60_000, 0);
    expect(plan.takeDue(1)).toHaveLength(1);
    plan.wait(attempt, 60_000, 60_000);
    expect(plan.hasWork()).toBe(false);
  });

  it('does not take longer per step in a long chain', () => {
    const length = 20_000;
    const needs = Object.fromEntries(Array.from({ length }, (_, at) => [at + 1, at === 0 ? [] : [at]]));
    const plan = schedule(needs);
    const began = performance.now();
    let steps = 0;
    for (let [next] = plan.takeReady(1); next; [next] = plan.takeReady(1)) {
      steps += 1;
      plan.finish(String(next.id));
    }
    expect(steps).toBe(length);
    // A look at all steps for each would take minutes.
    expect(performance.now() - began).toBeLessThan(15_000);
  });
});
