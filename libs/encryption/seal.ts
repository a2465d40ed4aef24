import { createHmac } from 'node:crypto';
import { decrypt, derivedKey, encrypt } from './aes-gcm.js';

/**
 * Seals texts under the newest of the installation's master keys, and opens those of older ones. What is sealed
 * opens for its own `owner` only: moved to another's row it is worthless.
 */
export class Seal {
  private readonly keys: Buffer[];
  private readonly digestKeys: Buffer[];

  /** `masterKeys`: the newest first, one at least. `purpose` keeps the keys of different uses apart. */
  constructor(masterKeys: string | readonly string[], purpose: string) {
    this.keys = [masterKeys].flat().map((masterKey) => derivedKey(masterKey, purpose));
    this.digestKeys = this.keys.map((key) => derivedKey(key, 'digests'));
  }

  close(text: string, owner: string): Buffer {
    return encrypt(this.keys[0] as Buffer, text, owner);
  }

  /** Throws when it was sealed under another key or for another owner, or was changed since. */
  open(sealed: Buffer, owner: string): string {
    for (const key of this.keys.slice(0, -1)) {
      try {
        return decrypt(key, sealed, owner).toString();
      } catch {
        // Perhaps an older one's.
      }
    }
    return decrypt(this.keys.at(-1) as Buffer, sealed, owner).toString();
  }

  /** By which equal texts are known, and nobody without the key can try a guess: under the newest key, then older ones. */
  digests(text: string): [newest: string, ...former: string[]] {
    const digests = this.digestKeys.map((key) => createHmac('sha256', key).update(text).digest('hex'));
    return digests as [string, ...string[]];
  }

  /** Under the newest key; null: it is already. Throws as `open`. */
  renewed(sealed: Buffer, owner: string): Buffer | null {
    try {
      decrypt(this.keys[0] as Buffer, sealed, owner);
      return null;
    } catch {
      return this.close(this.open(sealed, owner), owner);
    }
  }
}
