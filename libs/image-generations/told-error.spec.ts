import { toldError } from './told-error.js';

describe(toldError, () => {
  it.each([
    ['UPSTREAM_ERROR', 'The prediction failed', 'UPSTREAM_ERROR', 'The prediction failed'],
    ['VALIDATION_ERROR', 'The model refuses input.seed', 'UPSTREAM_ERROR', 'The model refuses input.seed'],
    ['UPSTREAM_ERROR', "The operator's account has no credit left", 'UPSTREAM_ERROR', 'The provider failed'],
    ['UPSTREAM_ERROR', 'The prediction failed at gpu-17', 'UPSTREAM_ERROR', 'The provider failed'],
    ['STEP_TIMEOUT', 'The outside did not answer in time', 'UPSTREAM_ERROR', 'The provider took too long'],
    ['GENERATION_TIMEOUT', 'x', 'UPSTREAM_ERROR', 'The provider took too long'],
    ['STEP_FAILED', 'x', 'INTERNAL_ERROR', 'Internal server error'],
    ['WORKER_LOST', 'x', 'INTERNAL_ERROR', 'Internal server error'],
    ['STORAGE_FAILED', 'x', 'INTERNAL_ERROR', 'Internal server error'],
  ])('%s "%s" is told as %s: %s', (code, message, toldCode, toldMessage) => {
    expect(toldError({ code, message })).toEqual({ code: toldCode, message: toldMessage });
  });
});
