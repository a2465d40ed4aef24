import { atRest, buildPatient } from '../../test/factories/patient.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { databaseCheck, judgeConnections, judgeMigrations } from './database.check.js';

let test: TestDatabase;

beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.close());

const examine = (url: string) => databaseCheck.examine(buildPatient({ DATABASE_URL: url }), atRest);

it('finds a database in order', async () => {
  const findings = await examine(test.url);
  expect(findings.filter(({ verdict }) => verdict === 'fail')).toEqual([]);
  expect(findings[0]?.text).toMatch(/^Postgres \d+/);
});

it('finds that a migration is missing', async () => {
  const [last] = await test.database.query<{ name: string }>('delete from migration where id = (select max(id) from migration) returning name');
  const findings = await examine(test.url);
  expect(findings).toContainEqual(expect.objectContaining({
    verdict: 'fail', text: expect.stringContaining(last!.name), advice: 'Run `npm run migrate`.',
  }));
});

it('finds that the schema is newer than the program', () => {
  expect(judgeMigrations(['Initial1763700000000'])).toMatchObject({ verdict: 'fail' });
});

it('finds that nothing listens, and says what to do', async () => {
  expect(await examine('postgres://platen:hunter22@127.0.0.1:1/platen')).toEqual([
    { verdict: 'fail', text: expect.stringMatching(/^127\.0\.0\.1:1\/platen cannot be reached/), advice: expect.stringContaining('DATABASE_URL') },
  ]);
});

it('warns of a server that has no connections left for one more process', () => {
  expect(judgeConnections({ connections: 90, allowed: 100 }, 20)).toMatchObject({ verdict: 'warn' });
  expect(judgeConnections({ connections: 10, allowed: 100 }, 20)).toMatchObject({ verdict: 'ok' });
});

it('has nothing against an installation whose Postgres is embedded', async () => {
  expect(await databaseCheck.examine(buildPatient(), atRest)).toMatchObject([{ verdict: 'ok' }]);
});
