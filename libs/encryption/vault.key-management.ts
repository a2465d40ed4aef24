import { KeyManagement, KeyUnavailable, type WrappedKey } from './key-management.js';

export interface VaultSettings {
  /** `https://vault.example:8200` */
  address: string;
  token: string;
  /** Name of a key of the transit engine, `aes256-gcm96`. */
  key: string;
  timeoutMs?: number;
}

/** Claims of generations wait for it: see `KEY_WAIT_MS` there. */
const TIMEOUT_MS = 2_000;
/** After no answer nobody asks: each would wait as long, one after the other. */
const AWAY_MS = 3_000;

/**
 * The transit engine of HashiCorp Vault, or of OpenBao: the master key never leaves it. Versions of a key are its own
 * matter: it unwraps what an older one wrapped.
 * https://developer.hashicorp.com/vault/api-docs/secret/transit
 */
export class VaultKeyManagement extends KeyManagement {
  readonly masterKey: string;
  private awayUntil = 0;

  constructor(
    private readonly settings: VaultSettings,
    /** Unwraps what was not wrapped here. */
    private readonly former: KeyManagement | null = null,
  ) {
    super();
    this.masterKey = `vault:${settings.key}`;
  }

  async wrap(dataKey: Buffer, owner: string): Promise<WrappedKey> {
    const plaintext = dataKey.toString('base64');
    const ciphertext = await this.call('encrypt', { plaintext, associated_data: base64(owner) }, 'ciphertext');
    return { masterKey: this.masterKey, wrapped: Buffer.from(ciphertext) };
  }

  async unwrap(key: WrappedKey, owner: string): Promise<Buffer> {
    const { masterKey, wrapped } = key;
    if (masterKey === this.masterKey) {
      const order = { ciphertext: wrapped.toString(), associated_data: base64(owner) };
      return Buffer.from(await this.call('decrypt', order, 'plaintext'), 'base64');
    }
    if (!this.former) throw new KeyUnavailable(`The master key ${masterKey} is none that is configured`);
    return this.former.unwrap(key, owner);
  }

  /** One field of what it answers. What it says of a failure may quote what it was sent. */
  private async call(verb: 'encrypt' | 'decrypt', body: object, field: string): Promise<string> {
    const { address, token, key, timeoutMs = TIMEOUT_MS } = this.settings;
    const url = `${address.replace(/\/+$/, '')}/v1/transit/${verb}/${encodeURIComponent(key)}`;
    if (Date.now() < this.awayUntil) throw new KeyUnavailable('Vault did not answer just now');
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'x-vault-token': token, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      this.awayUntil = 0;
      if (!answer.ok) throw new KeyUnavailable(`Vault refused to ${verb} with ${key}: status ${answer.status}`);
      const { data } = (await answer.json()) as { data?: Record<string, unknown> };
      const value = data?.[field];
      if (typeof value === 'string') return value;
    } catch (error) {
      if (error instanceof KeyUnavailable) throw error;
      this.awayUntil = Date.now() + AWAY_MS;
      throw new KeyUnavailable(`Vault did not answer: ${(error as Error).message}`);
    }
    throw new KeyUnavailable(`Vault answered without ${field}`);
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
