import { inputFault, NodeError, worldFault } from '#libs/nodes/node.js';
import { judge, MAX_ATTEMPTS } from './retry.js';

const never = () => 0;

describe('judge', () => {
  it('fails at once what is the fault of the input', () => {
    expect(judge(inputFault('BAD', 'no'), 0)).toEqual({ failure: { code: 'BAD', message: 'no' }, retryInMs: null });
  });

  it('tries the faults of the world again, later each time, three attempts in all', () => {
    const delays = Array.from({ length: MAX_ATTEMPTS }, (_, failures) => judge(worldFault('OUT', 'x'), failures, never).retryInMs);
    expect(delays).toEqual([1_000, 2_000, null]);
    expect(judge(worldFault('OUT', 'x'), 0, () => 0.999).retryInMs).toBeCloseTo(1_999);
  });

  it('waits as long as the service asks for, up to five minutes', () => {
    expect(judge(worldFault('OUT', 'x', 30_000), 0, never).retryInMs).toBe(30_000);
    expect(judge(worldFault('OUT', 'x', 10 * 60_000), 0, never).retryInMs).toBe(300_000);
  });

  it('keeps the text of an unknown error to itself', () => {
    expect(judge(new Error('password=1'), 0, never).failure).toEqual({
      code: 'STEP_FAILED', message: 'The step failed unexpectedly',
    });
  });

  it('names the fields at fault', () => {
    const error = new NodeError('VALIDATION_ERROR', 'No', true, undefined, [{ field: 'steps', message: 'too\0 many' }]);
    expect(judge(error, 0).failure.details).toEqual([{ field: 'steps', message: 'too\uFFFD many' }]);
  });

  it('makes messages fit into a row', () => {
    expect(judge(inputFault('BAD', `a\0${'b'.repeat(5_000)}`), 0).failure.message).toBe(`a\uFFFD${'b'.repeat(1_998)}`);
  });
});
