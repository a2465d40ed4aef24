import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** The layout of a sealed text: this byte, nonce, tag, ciphertext. Another layout gets another number. */
const LAYOUT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES;

/**
 * AES-256-GCM under a key of `PLATEN_MASTER_KEY`. What is sealed opens for its own `owner` only: moved to
 * another's row it is worthless.
 */
export class Seal {
  private readonly key: Buffer;

  /** `purpose` keeps the keys of different uses apart. */
  constructor(masterKey: string, purpose: string) {
    this.key = Buffer.from(hkdfSync('sha256', masterKey, '', `platen ${purpose} 1`, 32));
  }

  close(text: string, owner: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce).setAAD(Buffer.from(owner));
    const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(LAYOUT), nonce, cipher.getAuthTag(), ciphertext]);
  }

  /** Throws when it was sealed under another key or for another owner, or was changed since. */
  open(sealed: Buffer, owner: string): string {
    if (sealed[0] !== LAYOUT || sealed.length < HEAD_BYTES) throw new Error('It is not sealed in a known layout');
    const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.key, nonce)
      .setAAD(Buffer.from(owner))
      .setAuthTag(sealed.subarray(1 + NONCE_BYTES, HEAD_BYTES));
    return decipher.update(sealed.subarray(HEAD_BYTES), undefined, 'utf8') + decipher.final('utf8');
  }
}
