import { setTimeout as sleep } from 'node:timers/promises';
import type { OutboundAnswer } from '#libs/outbound/outbound-client.js';
import { ProviderError } from './provider.js';

/** Failures in a row, without a byte in between. */
const MAX_FAILURES = 5;
const FIRST_DELAY_MS = 300;

/**
 * The bytes of a file that `ask` gives from an offset on. One that is cut goes on where it was, by ranges where
 * there are any, else from its beginning with what is known already left out.
 */
export async function* resumedBytes(
  ask: (from: number) => Promise<OutboundAnswer>,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  let received = 0;
  let hasRanges = true;
  for (let failures = 0; ; ) {
    try {
      const answer = await ask(hasRanges ? received : 0);
      // A range of what is encoded cannot be decoded.
      hasRanges &&= answer.headers['content-encoding'] === undefined;
      for await (const chunk of after(received, answer)) {
        received += chunk.length;
        failures = 0;
        yield chunk;
      }
      return;
    } catch (error) {
      const isLasting = error instanceof ProviderError && !['unavailable', 'throttled'].includes(error.fault);
      if (isLasting || signal.aborted || ++failures > MAX_FAILURES) throw error;
      await sleep(FIRST_DELAY_MS * 2 ** failures, undefined, { signal });
    }
  }
}

/** What follows the first `offset` bytes, whether the answer begins there or not. */
async function* after(offset: number, { status, headers, body }: OutboundAnswer): AsyncGenerator<Buffer> {
  const start = status === 206 ? Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1]) : 0;
  if (!(start <= offset)) throw new ProviderError('unavailable', 'A file came from somewhere in its middle');
  let skip = offset - start;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    const rest = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}
