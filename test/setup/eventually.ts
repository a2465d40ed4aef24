import { setTimeout as delay } from 'node:timers/promises';

/** Repeats `expectation` until it passes; after `timeoutMs` its own failure is the test's. */
export async function eventually(
  expectation: () => unknown,
  timeoutMs = 5_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      await expectation();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(20);
    }
  }
}
