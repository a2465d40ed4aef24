import { createKeyManagement } from './index.js';
import { describeKeyManagement } from './key-management.contract.js';
import { LocalKeyManagement } from './local.key-management.js';

const [OLD, NEW] = ['o'.repeat(32), 'n'.repeat(32)];

describeKeyManagement(
  'LocalKeyManagement', () => new LocalKeyManagement([OLD]), () => new LocalKeyManagement([NEW, OLD]),
);

describe(LocalKeyManagement.name, () => {
  it('names a master key without telling it, each process the same', () => {
    expect(new LocalKeyManagement([OLD]).masterKey).toMatch(/^local:[0-9a-f]{16}$/);
    expect(new LocalKeyManagement([OLD, NEW]).masterKey).toBe(new LocalKeyManagement([OLD]).masterKey);
  });
});

describe(createKeyManagement.name, () => {
  it('takes the newest master key first, and may be none', () => {
    const settings = { PLATEN_MASTER_KEY: NEW, PLATEN_OLD_MASTER_KEYS: [OLD], VAULT_TRANSIT_KEY: '' };
    const local = createKeyManagement({ ...settings, KEY_MANAGEMENT: 'local' });
    expect(local?.masterKey).toBe(new LocalKeyManagement([NEW]).masterKey);
    expect(createKeyManagement({ ...settings, KEY_MANAGEMENT: 'none' })).toBeNull();
  });
});
