import { randomBytes } from 'node:crypto';

const BLOCK_BYTES = 256 * 1024;

/** Bytes that are no text, no two blocks the same, without the cost of randomness for each. */
export function* blocksOf(bytes: number): Generator<Buffer> {
  const block = randomBytes(BLOCK_BYTES);
  for (let sent = 0; sent < bytes; sent += BLOCK_BYTES) {
    block.writeUInt32BE(sent / BLOCK_BYTES, 0);
    yield Buffer.from(block.subarray(0, Math.min(BLOCK_BYTES, bytes - sent)));
  }
}

/** The same for what has to be text. */
export function* linesOf(bytes: number): Generator<Buffer> {
  const block = Buffer.alloc(BLOCK_BYTES, 'a,b,c\n');
  for (let sent = 0; sent < bytes; sent += BLOCK_BYTES) {
    block.write(String(sent).padStart(15), 0);
    yield Buffer.from(block.subarray(0, Math.min(BLOCK_BYTES, bytes - sent)));
  }
}
