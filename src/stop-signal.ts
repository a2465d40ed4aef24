import { CommandFailure } from './command-failure.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Settles when this process is asked to stop, or when the launcher that started it is gone. From the call
 * on no signal ends the process by itself: it stops in order, however often Ctrl-C is pressed.
 */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) process.on(signal, () => resolve());
    process.once('disconnect', () => resolve());
    // The launcher may have died while this program was being loaded: nobody tells of that any more.
    if (process.connected === false) resolve();
    process.channel?.unref();
  });
}

/** What a command ends with that was asked to stop. */
export class Stopped extends CommandFailure {
  constructor(message = 'Stopped.') {
    super(message);
  }
}
