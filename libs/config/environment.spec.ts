import { loadEnvironment } from './environment.js';

it('refuses an address whose password no driver can decode, by name, and does not tell it', () => {
  const load = () => loadEnvironment({ DATABASE_URL: 'postgres://platen:hunter22%off@db/platen' });
  expect(load).toThrow('DATABASE_URL must have a % of its own, as in a password, written as %25');
  expect(load).not.toThrow('hunter22');
  expect(loadEnvironment({ DATABASE_URL: 'postgres://platen:hunter22%25off@db/platen' }).DATABASE_URL).toContain('%25off');
});
