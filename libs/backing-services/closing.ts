import type { Logger } from 'pino';

/** How long one service may take to close; the process ends anyway. */
const DEADLINE_MS = 5_000;

export interface Closable {
  name: string;
  close(): Promise<unknown>;
}

/** Closes one after another, in the order given; one that fails or hangs does not keep the others open. */
export async function closeInOrder(services: Closable[], logger: Logger): Promise<void> {
  for (const { name, close } of services) {
    await withDeadline(close).catch((error: unknown) => logger.warn({ err: error, service: name }, 'did not close'));
  }
}

async function withDeadline(close: Closable['close']): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`still open after ${DEADLINE_MS} ms`)), DEADLINE_MS);
  });
  try {
    await Promise.race([close(), deadline]);
  } finally {
    clearTimeout(timer);
  }
}
