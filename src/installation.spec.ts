import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, loadInstallation } from './installation.js';

const SECRET = 'a secret of thirty-two characters';

describe('loadInstallation', () => {
  let PLATEN_HOME: string;

  beforeEach(() => {
    PLATEN_HOME = mkdtempSync(join(tmpdir(), 'platen-home-'));
  });

  afterEach(() => rmSync(PLATEN_HOME, { recursive: true }));

  it('fills in the secrets that nobody configured, the same at each start', () => {
    const first = loadInstallation({ PLATEN_HOME }).environment;
    const second = loadInstallation({ PLATEN_HOME, PLATEN_MASTER_KEY: SECRET }).environment;
    expect(first.JWT_SECRET).toHaveLength(64);
    expect(second.JWT_SECRET).toBe(first.JWT_SECRET);
    expect(second.PLATEN_MASTER_KEY).toBe(SECRET);
  });

  it('refuses generated secrets in production, and names those that are missing', () => {
    const NODE_ENV = 'production';
    expect(() => loadInstallation({ PLATEN_HOME, NODE_ENV })).toThrow('JWT_SECRET, PLATEN_MASTER_KEY');
    const JWT_JWKS_URL = 'https://id.example/jwks';
    expect(() => loadInstallation({ PLATEN_HOME, NODE_ENV, JWT_JWKS_URL })).toThrow('set: PLATEN_MASTER_KEY.');
  });

  it('lists every fault of the configuration at once', () => {
    const faults = { PORT: 'many', JWT_SECRET: 'short', WORKER_LANES: 'fast' };
    const load = () => loadInstallation({ PLATEN_HOME, ...faults });
    expect(load).toThrow(/3 fault.*PORT.*JWT_SECRET.*WORKER_LANES/s);
  });

  it('says how to get a database when there is none', () => {
    expect(() => connect(loadInstallation({ PLATEN_HOME }))).toThrow('set DATABASE_URL, or run `npm start`');
  });

  it('prefers the configured database', () => {
    const DATABASE_URL = 'postgres://platen@db/platen';
    expect(connect(loadInstallation({ PLATEN_HOME, DATABASE_URL }))).toMatchObject({ DATABASE_URL });
  });
});
