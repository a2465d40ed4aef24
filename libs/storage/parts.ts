import type { Readable } from 'node:stream';

/** What a cloud is given at once. Of those that count in 256 KiB, a multiple. */
export const PART_BYTES = 5 * 1024 ** 2;

export interface Part {
  bytes: Buffer;
  /** Of its first byte. */
  offset: number;
  isLast: boolean;
}

/** A stream in parts of `size` bytes, the last one shorter: at least one, an empty one if need be. */
export async function* partsOf(source: Readable, size = PART_BYTES): AsyncGenerator<Part> {
  let [offset, bytes]: [number, Buffer | null] = [0, null];
  for await (const next of blocksOf(source, size)) {
    if (bytes) {
      yield { bytes, offset, isLast: false };
      offset += bytes.length;
    }
    bytes = next;
  }
  yield { bytes: bytes ?? Buffer.alloc(0), offset, isLast: true };
}

async function* blocksOf(source: Readable, size: number): AsyncGenerator<Buffer> {
  let [pieces, length]: [Buffer[], number] = [[], 0];
  for await (const chunk of source as AsyncIterable<Buffer | string>) {
    let rest = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    while (rest.length > 0) {
      const piece = rest.subarray(0, size - length);
      rest = rest.subarray(piece.length);
      pieces.push(piece);
      length += piece.length;
      if (length < size) continue;
      yield Buffer.concat(pieces, length);
      [pieces, length] = [[], 0];
    }
  }
  if (length > 0) yield Buffer.concat(pieces, length);
}

/** Reads the next part while one is on its way; never more, so that few are in memory. Ends with the first error. */
export async function sendParts(parts: AsyncIterable<Part>, send: (part: Part) => Promise<void>): Promise<void> {
  let sending: Promise<void> = Promise.resolve();
  for await (const part of parts) {
    await sending;
    sending = send(part);
    // Told by the next `await`, which may come after the failure.
    sending.catch(() => undefined);
  }
  await sending;
}
