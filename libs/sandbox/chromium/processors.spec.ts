import { allowedProcessors, processorsOf } from './processors.js';

it.each([
  ['Cpus_allowed_list:\t0-3,8\n', [0, 1, 2, 3, 8]],
  ['Name:\tnode\nCpus_allowed:\t20\nCpus_allowed_list:\t5\nMems_allowed_list:\t0\n', [5]],
  ['Name:\tnode\n', []],
])('reads %j as %j', (status, processors) => {
  expect(processorsOf(status)).toEqual(processors);
});

it('finds those of this process', () => {
  expect(allowedProcessors().length).toBeGreaterThan(0);
});
