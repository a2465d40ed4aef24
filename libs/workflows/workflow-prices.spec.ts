import { randomUUID } from 'node:crypto';
import type { StoredWorkflow } from './stored-workflow.js';
import { WorkflowPrices } from './workflow-prices.js';

describe('WorkflowPrices', () => {
  const RANGE = { base: 0, per_generation: { min: 1, max: 1 } };
  const workflow = (id: string, version = 1) => ({ id, version, data: {} }) as StoredWorkflow;
  let computed: number;
  const counting = async () => {
    computed++;
    return RANGE;
  };
  beforeEach(() => {
    computed = 0;
  });

  it('computes the price of a version once, also when its data was read anew', async () => {
    const prices = new WorkflowPrices({ priceRange: counting });
    const id = randomUUID();
    for (let round = 0; round < 3; round++) expect(await prices.rangeOf(workflow(id))).toEqual(RANGE);
    expect(computed).toBe(1);
    await prices.rangeOf(workflow(id, 2));
    expect(computed).toBe(2);
  });

  it('keeps so many prices at most', async () => {
    const prices = new WorkflowPrices({ priceRange: counting });
    for (let version = 1; version <= 10_001; version++) await prices.rangeOf(workflow('a', version));
    await prices.rangeOf(workflow('a', 10_001));
    expect(computed).toBe(10_001);
    await prices.rangeOf(workflow('a', 1));
    expect(computed).toBe(10_002);
  });

  it('tries again after a failure', async () => {
    const fail = async () => Promise.reject(new Error('busy'));
    const prices = new WorkflowPrices({ priceRange: () => (++computed === 1 ? fail() : counting()) });
    await expect(prices.rangeOf(workflow('a'))).rejects.toThrow('busy');
    expect(await prices.rangeOf(workflow('a'))).toEqual(RANGE);
  });
});
