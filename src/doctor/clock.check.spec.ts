import { atRest, buildPatient } from '../../test/factories/patient.js';
import { createTestDatabase } from '../../test/setup/database.js';
import { clockCheck, judgeClock } from './clock.check.js';

it.each([
  [150, 20, 'ok'], [-5_000, 20, 'warn'], [90_000, 20, 'fail'],
  // Half of a slow answer's time may be all of the difference.
  [3_000, 4_000, 'ok'],
])('%d ms beside the database, told in %d ms, are judged %s', (ahead, asked, verdict) => {
  expect(judgeClock(ahead, asked)).toMatchObject({ verdict });
});

it('asks the database', async () => {
  const { url, close } = await createTestDatabase();
  expect(await clockCheck.examine(buildPatient({ DATABASE_URL: url }), atRest)).toMatchObject([{ verdict: 'ok' }]);
  await close();
});
