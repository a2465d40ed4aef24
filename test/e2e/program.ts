import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LAUNCHER = join(import.meta.dirname, '../../src/launch.mjs');
const STOP_TIMEOUT_MS = 40_000;

/** The program as a user starts it, in a process of its own; nothing of it is known but what it prints. */
export class Program {
  output = '';
  errors = '';
  private readonly child: ChildProcess;
  /** Settles when the process is gone, even if one that it has left behind still holds its output. */
  readonly exited: Promise<void>;
  private readonly ended: Promise<number | null>;

  constructor(
    args: string[],
    environment: Record<string, string>,
    cwd = process.cwd(),
    file = LAUNCHER,
  ) {
    const { PATH = '', HOME = '' } = process.env;
    const env = { PATH, HOME, LOG_LEVEL: 'warn', ...environment };
    this.child = spawn(process.execPath, [file, ...args], {
      cwd,
      env,
      // By the channel a server learns when the tests are gone, and stops.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.child.channel?.unref();
    this.child.stdout?.on('data', (piece: Buffer) => (this.output += piece.toString()));
    this.child.stderr?.on('data', (piece: Buffer) => (this.errors += piece.toString()));
    this.exited = once(this.child, 'exit').then(() => undefined);
    this.ended = once(this.child, 'close').then(([code]) => code as number | null);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Sends the signal and does not wait. */
  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.child.kill(signal);
  }

  /** The first group of `pattern` in what it prints, as soon as it is there. */
  async prints(pattern: RegExp, timeoutMs = 60_000): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const [, found] = pattern.exec(this.output) ?? [];
      if (found !== undefined) return found;
      if (Date.now() > deadline || !this.isRunning) throw this.failure(`has not printed ${pattern}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Sends the signal, if one is given, and returns the exit code. */
  async end(signal?: NodeJS.Signals): Promise<number | null> {
    if (signal && this.isRunning) this.child.kill(signal);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.failure('does not end')), STOP_TIMEOUT_MS);
    });
    return Promise.race([this.ended, late]).finally(() => clearTimeout(timer));
  }

  private failure(what: string): Error {
    const { exitCode } = this.child;
    const end = exitCode === null ? '' : ` (it ended with ${exitCode})`;
    return new Error(`The program ${what}${end}.\n${this.output}\n${this.errors}`);
  }
}

/** Command lines of all processes that name the folder: what the program has left running. */
export function processesNaming(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter((command) => command.includes(folder));
}
