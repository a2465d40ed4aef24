import { PlatenError } from '#libs/client/index.js';
import { refusalText } from './refusal-text.js';

describe('a refusal, told to whoever typed the command', () => {
  it('says what to do about it', () => {
    const text = (...error: ConstructorParameters<typeof PlatenError>) => refusalText(new PlatenError(...error));
    expect(text('UNREACHABLE', 'http://127.0.0.1:9 does not answer: connect ECONNREFUSED')).toContain('Start a Platen with `npm start`');
    expect(text('UNAUTHENTICATED', 'A valid token is needed', { status: 401 })).toContain('export PLATEN_TOKEN=$(npm run --silent token');
    expect(text('INSUFFICIENT_CREDITS', 'Insufficient credits', { status: 402, details: { required: 4.5, available: 1 } }))
      .toContain('it takes 4.5 credits, 1 are available.');
    expect(text('VALIDATION_ERROR', 'Invalid request body', { details: [{ field: 'variables.steps', message: 'must be a number' }] }))
      .toBe('Invalid request body\n  variables.steps: must be a number');
    expect(text('INTERNAL_ERROR', 'Internal server error', { status: 500, requestId: 'r-1' })).toContain('(request r-1)');
    expect(text('JOB_NOT_FOUND', 'Job not found', { status: 404 })).toBe('404 JOB_NOT_FOUND: Job not found');
  });
});
