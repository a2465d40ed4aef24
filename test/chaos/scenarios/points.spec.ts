import { TRACEPOINTS } from '#libs/tracepoints/tracepoints.js';
import { sourcesIn } from '../../structure/sources.js';

/** Where no storm stops a process, and why not. */
const CALM: Record<string, string> = {
  'wait': 'no node of this version waits for the outside',
  'park': 'a generation rests only while all that is left waits for a retry',
  'break-off': 'it follows an error that nobody foresaw',
};

it('every point of the road is one where some storm stops a process, or is excused by name', () => {
  const texts = sourcesIn(['test/chaos/scenarios']).map(({ text }) => text);
  const isCalm = (point: string) => Object.hasOwn(CALM, point.split('.')[0] ?? '');
  const isMet = (point: string) => texts.some((text) => text.includes(`'${point}'`));
  expect(TRACEPOINTS.filter((point) => isMet(point) === isCalm(point))).toEqual([]);
});
