import { BoundedLabels } from './bounded-labels.js';

it('keeps the first values, and takes all later ones together', () => {
  const labels = new BoundedLabels(2);
  expect(['a', 'b', 'a', 'c', 'd', 'b'].map((value) => labels.of(value))).toEqual([
    'a', 'b', 'a', 'other', 'other', 'b',
  ]);
  expect(labels.values).toEqual(['a', 'b']);
});
