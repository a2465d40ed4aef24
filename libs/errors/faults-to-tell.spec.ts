import { validationError } from './errors.js';

describe('validationError', () => {
  it('tells a hundred faults, and how many more there are', () => {
    const faults = Array.from({ length: 150 }, (_, index) => ({ field: `steps[${index}]`, message: 'is wrong' }));
    const { details } = validationError(faults);
    expect(details).toHaveLength(101);
    expect(details).toEqual([...faults.slice(0, 100), { field: 'body', message: 'and 50 more faults' }]);
    expect(validationError(faults.slice(0, 100)).details).toEqual(faults.slice(0, 100));
  });

  it('cuts what quotes a long request', () => {
    const { details } = validationError([{ field: 'x'.repeat(10_000), message: 'y'.repeat(10_000) }]);
    expect(JSON.stringify(details).length).toBeLessThan(2_000);
  });
});
