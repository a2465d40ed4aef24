import { atRest, buildPatient } from '../../test/factories/patient.js';
import { diskCheck, judgeDisk } from './disk.check.js';

it.each([[50, 'ok'], [1, 'warn'], [0.1, 'fail']])('%d GiB of room are judged %s', (gib, verdict) => {
  expect(judgeDisk('/data', gib * 1024 ** 3)).toMatchObject({ verdict });
});

it('looks where the folders are, or will be', async () => {
  const patient = buildPatient({ STORAGE_PATH: '/tmp/platen-of-nobody/yet' });
  const findings = await diskCheck.examine(patient, atRest);
  expect(findings.map(({ text }) => text)).toEqual([
    expect.stringContaining(patient.home), expect.stringContaining('/tmp/platen-of-nobody/yet'),
  ]);
});
