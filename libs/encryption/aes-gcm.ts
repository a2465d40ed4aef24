import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** The layout of what is sealed: this byte, nonce, tag, ciphertext. Another layout gets another number. */
const LAYOUT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES;

export const KEY_BYTES = 32;

/** A key for one use: keys of different purposes tell nothing of each other. */
export const derivedKey = (key: string | Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, '', `platen ${purpose} 1`, KEY_BYTES));

/** AES-256-GCM. Who gives a nonce sees to it that it comes with this plaintext alone. */
export function encrypt(
  key: Buffer,
  plaintext: string | Buffer,
  owner: string,
  nonce: Buffer = randomBytes(NONCE_BYTES),
): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(owner));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([Buffer.of(LAYOUT), nonce, cipher.getAuthTag(), ciphertext]);
}

/** Throws when it was sealed under another key or for another owner, or was changed since. */
export function decrypt(key: Buffer, sealed: Buffer, owner: string): Buffer {
  if (sealed[0] !== LAYOUT || sealed.length < HEAD_BYTES) throw new Error('It is not sealed in a known layout');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + NONCE_BYTES))
    .setAAD(Buffer.from(owner))
    .setAuthTag(sealed.subarray(1 + NONCE_BYTES, HEAD_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(HEAD_BYTES)), decipher.final()]);
}
