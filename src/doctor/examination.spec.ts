import { buildPatient } from '../../test/factories/patient.js';
import { fail, ok, warn, type Check } from './check.js';
import { examine, isSound } from './examination.js';

const PASSWORD = 'hunter22 of all';
const patient = buildPatient({
  DATABASE_URL: `postgres://platen:${encodeURIComponent(PASSWORD)}@127.0.0.1:1/platen`, JWT_SECRET: 's'.repeat(32),
  COMFYUI_URLS: 'http://bearer:tok-4711@gpu:8188',
});
const of = (work: Check['examine'], timeoutMs?: number) => examine({ name: 'it', examine: work, timeoutMs }, patient);

it('makes a finding of whatever goes wrong', async () => {
  expect(await of(async () => { throw new Error('it broke'); })).toMatchObject({ check: 'it', findings: [{ verdict: 'fail', text: 'it broke' }] });
});

it('waits no longer than a check may take, and stops it', async () => {
  let stopped = false;
  const diagnosis = await of((_patient, stop) => new Promise(() => stop.addEventListener('abort', () => (stopped = true))), 20);
  expect(diagnosis.findings).toMatchObject([{ verdict: 'fail', text: 'no answer within 0.02 s' }]);
  expect(stopped).toBe(true);
});

it('tells no secret, whatever a library says', async () => {
  const said = `${PASSWORD}, ${encodeURIComponent(PASSWORD)}, ${'s'.repeat(32)}, tok-4711`;
  expect((await of(async () => [ok(said)])).findings).toEqual([ok('…, …, …, …')]);
});

it('leaves nothing of a secret that has another in it', async () => {
  const nested = buildPatient({ JWT_SECRET: 's'.repeat(32), METRICS_TOKEN: `${'s'.repeat(32)}-and-more` });
  const { findings } = await examine({ name: 'it', examine: async () => [ok(`${'s'.repeat(32)}-and-more`)] }, nested);
  expect(findings).toEqual([ok('…')]);
});

it('is sound with warnings, and not with a failure', async () => {
  expect(isSound([{ check: 'it', findings: [ok('a'), warn('b', 'c')] }])).toBe(true);
  expect(isSound([{ check: 'it', findings: [ok('a'), fail('b', 'c')] }])).toBe(false);
});
