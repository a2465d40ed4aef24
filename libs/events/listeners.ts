import type { BusMessage } from './event-bus.js';

export type BusListener = (message: BusMessage) => void;

/** The listeners of one process. One that throws keeps nothing from the others. */
export class Listeners {
  private readonly listeners = new Set<BusListener>();

  constructor(private readonly onError: (error: Error) => void) {}

  /** Returns the way to stop. The same function may be added more than once. */
  add(listener: BusListener): () => void {
    const own: BusListener = (message) => listener(message);
    this.listeners.add(own);
    return () => void this.listeners.delete(own);
  }

  /** Hands a message from the wire to everyone. */
  deliver(text: string): void {
    try {
      const message = JSON.parse(text) as BusMessage;
      for (const listener of this.listeners) this.call(listener, message);
    } catch (error) {
      this.onError(error as Error);
    }
  }

  private call(listener: BusListener, message: BusMessage): void {
    try {
      listener(message);
    } catch (error) {
      this.onError(error as Error);
    }
  }
}
