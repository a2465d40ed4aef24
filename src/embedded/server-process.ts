import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isRunning } from './process-list.js';

/** What callers hold of a server that Platen started itself. */
export interface EmbeddedServer {
  url: string;
  /** Settles when the server has ended, for whatever reason. */
  exited: Promise<void>;
  stop(): Promise<void>;
}

export interface ServerCommand {
  command: string;
  args: string[];
  /** File that takes the output of the server; emptied at each start. */
  log: string;
  /** Written to the server's standard input, which is then closed. */
  input?: string;
  uid?: number;
  gid?: number;
}

const KILL_AFTER_MS = 15_000;
const LOG_LINES = 15;

/** A child process in a group of its own: Ctrl-C in the terminal is ours to pass on, in order. */
export class ServerProcess {
  readonly exited: Promise<void>;
  private ended = false;

  private constructor(
    private readonly child: ChildProcess,
    private readonly log: string,
  ) {
    this.exited = new Promise((resolve) => {
      const end = () => {
        this.ended = true;
        resolve();
      };
      child.once('exit', end).once('error', end);
    });
  }

  static start({ command, args, log, input, uid, gid }: ServerCommand): ServerProcess {
    const output = openSync(log, 'w', 0o600);
    try {
      const child = spawn(command, args, {
        stdio: [input === undefined ? 'ignore' : 'pipe', output, output],
        env: { ...process.env, LC_ALL: 'C' },
        detached: true,
        uid,
        gid,
      });
      child.stdin?.on('error', () => undefined).end(input);
      return new ServerProcess(child, log);
    } finally {
      closeSync(output);
    }
  }

  /**
   * Asks `isReady` again and again until it holds. Fails with the end of the log when the server ends
   * first or `timeoutMs` have passed.
   */
  async waitUntil(isReady: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await isReady())) {
      if (this.ended) throw this.failure('ended at once');
      if (Date.now() > deadline) throw this.failure('is not ready');
      await delay(25);
    }
  }

  /** Sends `signal` and waits; kills after 15 seconds. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    if (this.ended) return;
    this.child.kill(signal);
    const killing = setTimeout(() => this.child.kill('SIGKILL'), KILL_AFTER_MS);
    await this.exited;
    clearTimeout(killing);
  }

  private failure(what: string): Error {
    const lines = readFileSync(this.log, 'utf8').trimEnd().split('\n').slice(-LOG_LINES);
    return new Error(`${this.child.spawnfile} ${what}:\n${lines.join('\n')}`);
  }
}

/**
 * Stops the server that a killed parent left behind, as its pid file tells; `mark` is what its command
 * line contains.
 */
export async function stopOrphan(pidFile: string, mark: string, signal: NodeJS.Signals): Promise<void> {
  if (!existsSync(pidFile)) return;
  const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
  if (!isRunning(pid, mark)) return;
  process.kill(pid, signal);
  const deadline = Date.now() + KILL_AFTER_MS;
  while (isRunning(pid, mark)) {
    if (Date.now() > deadline) process.kill(pid, 'SIGKILL');
    await delay(50);
  }
}
