import { Logger } from 'nestjs-pino';

/** Nest's own lines in the process's log. What it says of modules and routes at start is for debugging. */
export class FrameworkLogger extends Logger {
  override log(...line: Parameters<Logger['log']>): void {
    this.debug(...line);
  }
}
