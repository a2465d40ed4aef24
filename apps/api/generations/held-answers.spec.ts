import { preferredWait } from './held-answers.js';

describe('preferredWait', () => {
  it.each([
    ['wait=5', 5],
    ['respond-async, wait=10', 10],
    ['Wait = "3"; x=y', 3],
    ['wait=600', 60],
    ['wait=0', null],
    ['wait=-1', null],
    ['wait=soon', null],
    ['await=5', null],
    ['respond-async', null],
    ['', null],
    [undefined, null],
  ])('reads %p as %p', (prefer, seconds) => {
    expect(preferredWait({ headers: prefer === undefined ? {} : { prefer } })).toBe(seconds);
  });
});
