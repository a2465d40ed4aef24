import { SketchError, type Sketch } from '#libs/sandbox/sketch-renderer.js';
import type { SketchPage } from './sketch-page.js';

/** The first of: the sketch's end, its time limit, the signal, the death of its page. */
export async function untilEnd<Result>(
  page: SketchPage,
  { signal, timeLimitMs, onStart }: Sketch,
  run: () => Promise<Result>,
  whyOverdue: () => string,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = () => {};
  const limit = new Promise<'limit'>((resolve) => (timer = setTimeout(resolve, timeLimitMs, 'limit')));
  const aborted = new Promise<never>((_, reject) => (onAbort = () => reject(signal?.reason)));
  signal?.addEventListener('abort', onAbort, { once: true });
  onStart?.();
  try {
    const ended = await Promise.race([run().catch(browserFailed), limit, aborted]);
    if (ended !== 'limit') return ended;
    const message = `The sketch did not end within ${timeLimitMs} ms: ${whyOverdue()}`;
    throw new SketchError('time_limit', message, true, await page.rescueLogs());
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Tries again when the browser died. Dies the page again while its browser lives, the sketch is at fault. */
export async function twiceAtMost<Result>(
  once: () => Promise<Result>,
  browserLives: () => Promise<boolean>,
): Promise<Result> {
  try {
    return await once();
  } catch (failure) {
    if (!isBrowsers(failure)) throw failure;
  }
  try {
    return await once();
  } catch (failure) {
    if (!isBrowsers(failure) || !(await browserLives())) throw failure;
    throw new SketchError('error', `${CRASHED}: ${failure.message}`, true);
  }
}

const CRASHED = 'The sketch crashed its page, or took more than 2 GB of memory';

export const isBrowsers = (failure: unknown): failure is SketchError =>
  failure instanceof SketchError && failure.reason === 'browser';

/** Whatever the browser's driver says is the browser's fault. */
export const browserFailed = (failure: unknown): never => {
  if (failure instanceof SketchError) throw failure;
  const message = failure instanceof Error ? failure.message : String(failure);
  throw new SketchError('browser', message.split('\n')[0] ?? '', false);
};
