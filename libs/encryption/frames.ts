import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import type { ByteRange } from '#libs/storage/storage.js';

/*
 * An encrypted file: a layout byte and a salt, then frames of 64 KiB, each AES-256-GCM with its tag behind it. The
 * key is the file's own, of the salt and the file's name; the nonce is the frame's number and whether it is the last
 * one. So frames cannot be exchanged, left out or cut off, and any of them can be read without the others. (The
 * construction is STREAM: Hoang, Reyhanitabar, Rogaway, Vizár, 2015.)
 */
const LAYOUT = 1;
const SALT_BYTES = 32;
const HEAD_BYTES = 1 + SALT_BYTES;
const PLAIN_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const FRAME_BYTES = PLAIN_BYTES + TAG_BYTES;

/** Bytes that a file of `stored` bytes has when it is decrypted. */
export function plainSize(stored: number): number {
  const frames = Math.max(1, Math.ceil((stored - HEAD_BYTES) / FRAME_BYTES));
  return Math.max(0, stored - HEAD_BYTES - frames * TAG_BYTES);
}

/** Encrypts what passes, for the file `name`. */
export class EncryptedFrames extends Transform {
  private readonly salt = randomBytes(SALT_BYTES);
  private readonly key: Buffer;
  private readonly pieces = new Pieces();
  private frame = 0;

  constructor(filesKey: Buffer, name: string) {
    super();
    this.key = fileKey(filesKey, this.salt, name);
    this.push(Buffer.concat([Buffer.of(LAYOUT), this.salt]));
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.pieces.add(chunk);
    // Whether a frame is the last one shows when more follows.
    while (this.pieces.size > PLAIN_BYTES) this.seal(this.pieces.take(PLAIN_BYTES), false);
    done();
  }

  override _flush(done: TransformCallback): void {
    this.seal(this.pieces.take(this.pieces.size), true);
    done();
  }

  private seal(plain: Buffer, isLast: boolean): void {
    const cipher = createCipheriv('aes-256-gcm', this.key, nonceOf(this.frame++, isLast));
    this.push(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
  }
}

/** Which stored bytes hold a range of the plain ones. */
export interface FrameRange {
  first: number;
  last: number;
  stored: ByteRange;
}

export const HEAD: ByteRange = { start: 0, end: HEAD_BYTES - 1 };

export function frameRange({ start, end }: ByteRange): FrameRange {
  const [first, last] = [Math.floor(start / PLAIN_BYTES), Math.floor(end / PLAIN_BYTES)];
  return {
    first, last,
    // The first frame's comes with the head.
    stored: { start: first === 0 ? 0 : HEAD_BYTES + first * FRAME_BYTES, end: HEAD_BYTES + (last + 1) * FRAME_BYTES - 1 },
  };
}

/** Decrypts what passes: a whole file, or of its frames those that hold `range`, whose `head` was read before. */
export class DecryptedFrames extends Transform {
  private readonly pieces = new Pieces();
  private key: Buffer | null = null;
  private frame: number;
  private readonly last: number;
  /** Plain bytes that are left out at the beginning, and that are wanted behind them. */
  private skipped: number;
  private wanted: number;

  constructor(
    private readonly filesKey: Buffer,
    private readonly name: string,
    private readonly range?: ByteRange,
    head?: Buffer,
  ) {
    super();
    const { first, last } = range ? frameRange(range) : { first: 0, last: Infinity };
    [this.frame, this.last] = [first, last];
    this.skipped = range ? range.start - first * PLAIN_BYTES : 0;
    this.wanted = range ? range.end - range.start + 1 : Infinity;
    if (head) this.readHead(head);
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    try {
      this.pieces.add(chunk);
      if (!this.key && this.pieces.size >= HEAD_BYTES) this.readHead(this.pieces.take(HEAD_BYTES));
      while (this.key && this.pieces.size > FRAME_BYTES) this.give(this.opened(this.pieces.take(FRAME_BYTES), false));
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      if (!this.key) throw new DamagedFile(this.name);
      const rest = this.pieces.take(this.pieces.size);
      // A range that begins behind the end has no bytes.
      if (rest.length > 0 || !this.range || this.frame === 0) this.give(this.openedAtEnd(rest));
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  private readHead(head: Buffer): void {
    if (head.length < HEAD_BYTES || head[0] !== LAYOUT) throw new DamagedFile(this.name);
    this.key = fileKey(this.filesKey, head.subarray(1), this.name);
  }

  /** What the stored bytes end with: the file's last frame, or the last one that was asked for. */
  private openedAtEnd(frame: Buffer): Buffer {
    if (this.frame < this.last || frame.length < FRAME_BYTES) return this.opened(frame, true);
    try {
      return this.opened(frame, false);
    } catch {
      return this.opened(frame, true);
    }
  }

  private opened(frame: Buffer, isLast: boolean): Buffer {
    if (frame.length < TAG_BYTES) throw new DamagedFile(this.name);
    const end = frame.length - TAG_BYTES;
    const decipher = createDecipheriv('aes-256-gcm', this.key as Buffer, nonceOf(this.frame, isLast));
    decipher.setAuthTag(frame.subarray(end));
    try {
      const plain = decipher.update(frame.subarray(0, end));
      decipher.final();
      return plain;
    } catch {
      throw new DamagedFile(this.name);
    }
  }

  private give(plain: Buffer): void {
    this.frame += 1;
    const part = plain.subarray(this.skipped, this.skipped + this.wanted);
    this.skipped = Math.max(0, this.skipped - plain.length);
    this.wanted -= part.length;
    if (part.length > 0) this.push(part);
  }
}

/** It was changed or cut off since it was stored, or belongs elsewhere. */
export class DamagedFile extends Error {
  constructor(name: string) {
    super(`The encrypted file ${name} is not as it was stored`);
    this.name = 'DamagedFile';
  }
}

/** Bytes that arrive in pieces of any size, and are taken in others. */
class Pieces {
  size = 0;
  private held: Buffer[] = [];

  add(piece: Buffer): void {
    this.held.push(piece);
    this.size += piece.length;
  }

  take(size: number): Buffer {
    const all = this.held.length === 1 ? (this.held[0] as Buffer) : Buffer.concat(this.held);
    this.held = size < all.length ? [all.subarray(size)] : [];
    this.size = all.length - size;
    return all.subarray(0, size);
  }
}

const fileKey = (filesKey: Buffer, salt: Buffer, name: string): Buffer =>
  Buffer.from(hkdfSync('sha256', filesKey, salt, `platen file ${name}`, 32));

/** Eight bytes of the frame's number and one that marks the last: never twice under one key. */
function nonceOf(frame: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(frame));
  nonce.writeUInt8(isLast ? 1 : 0, 11);
  return nonce;
}
