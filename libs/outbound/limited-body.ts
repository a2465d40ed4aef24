import { PassThrough, Transform, type Readable, type TransformCallback } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { OutboundError } from './outbound-error.js';

const DECODERS: Record<string, () => Transform> = {
  '': () => new PassThrough(),
  identity: () => new PassThrough(),
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};
/** What a request says it takes. */
export const ACCEPTED_ENCODINGS = 'gzip, deflate, br';

/** The decoder of a `Content-Encoding`. One layer at most. Throws OutboundError. */
export function decoderOf(contentEncoding: string): Transform {
  const decoder = DECODERS[contentEncoding.trim().toLowerCase()];
  if (!decoder) throw new OutboundError('answer', 'The answer is encoded in a way that is not taken');
  return decoder();
}

/**
 * The bytes of an answer, decompressed, and not one more than `maxBytes` of those: a bomb ends when it has
 * given that much. Failures are OutboundErrors; `stopped` says why it was cut off from outside.
 */
export function limitedBody(
  source: Readable,
  decoder: Transform,
  maxBytes: number,
  stopped: () => Error | undefined,
): Readable {
  const meter = new ByteMeter(maxBytes);
  // By hand: `pipeline` would give the last stream the first error as it is.
  const fail = (error: Error) => {
    const told = error instanceof OutboundError ? error : stopped();
    meter.destroy(told ?? new OutboundError('answer', 'The answer ended early or cannot be decoded'));
  };
  source.once('error', fail);
  decoder.once('error', fail);
  meter.once('close', () => {
    for (const stream of [source, decoder]) stream.on('error', () => undefined).destroy();
  });
  source.pipe(decoder).pipe(meter);
  return meter;
}

class ByteMeter extends Transform {
  private size = 0;

  constructor(private readonly maxBytes: number) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.size += chunk.length;
    if (this.size > this.maxBytes) done(tooLarge(this.maxBytes));
    else done(null, chunk);
  }
}

export const tooLarge = (maxBytes: number) =>
  new OutboundError('too_large', `The answer has more than ${maxBytes} bytes`);
