import type { Environment } from '#libs/config/environment.js';
import type { KeyManagement } from './key-management.js';
import { LocalKeyManagement } from './local.key-management.js';
import { Seal } from './seal.js';
import { VaultKeyManagement, type VaultSettings } from './vault.key-management.js';

type MasterKeys = Pick<Environment, 'PLATEN_MASTER_KEY' | 'PLATEN_OLD_MASTER_KEYS'>;
type KeySettings =
  MasterKeys & Pick<Environment, 'KEY_MANAGEMENT' | 'VAULT_ADDR' | 'VAULT_TOKEN' | 'VAULT_TRANSIT_KEY'>;

/** Every driver: one line each. */
const DRIVERS: Record<string, (settings: KeySettings) => KeyManagement | null> = {
  local: (settings) => new LocalKeyManagement(masterKeysOf(settings)),
  vault: (settings) => new VaultKeyManagement(vaultSettingsOf(settings), new LocalKeyManagement(masterKeysOf(settings))),
  none: () => null,
};

/** What wraps the keys of encrypted collections; null: there are no such collections here. */
export function createKeyManagement(settings: KeySettings): KeyManagement | null {
  const create = DRIVERS[settings.KEY_MANAGEMENT];
  if (!create) throw new Error(`Unknown KEY_MANAGEMENT "${settings.KEY_MANAGEMENT}"`);
  return create(settings);
}

function vaultSettingsOf({ VAULT_ADDR, VAULT_TOKEN, VAULT_TRANSIT_KEY }: KeySettings): VaultSettings {
  if (!VAULT_ADDR || !VAULT_TOKEN) throw new Error('VAULT_ADDR and VAULT_TOKEN must be set');
  return { address: VAULT_ADDR, token: VAULT_TOKEN, key: VAULT_TRANSIT_KEY };
}

/** The newest first. */
export function masterKeysOf({ PLATEN_MASTER_KEY, PLATEN_OLD_MASTER_KEYS }: MasterKeys): string[] {
  if (!PLATEN_MASTER_KEY) throw new Error('PLATEN_MASTER_KEY must be set');
  return [PLATEN_MASTER_KEY, ...PLATEN_OLD_MASTER_KEYS];
}

/** What is kept for a while, whoever's it is: answers for retries, and what webhooks bring. */
export const createSeal = (settings: MasterKeys, purpose: 'kept answers' | 'webhook inbox'): Seal =>
  new Seal(masterKeysOf(settings), purpose);
