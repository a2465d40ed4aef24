import { fork, type ChildProcess } from 'node:child_process';
import { on } from 'node:events';
import { join } from 'node:path';
import { SandboxUnavailable, ScriptError } from '../script-sandbox.js';
import type { ScriptMessage, ScriptOutcome, ScriptRequest } from './script-protocol.js';

const CHILD = join(import.meta.dirname, 'script-child.mjs');
/** The heap holds a result three times on its way out; the stack, what the guest may recurse. */
const NODE_FLAGS = ['--max-old-space-size=128', '--stack-size=3900', '--no-addons'];
const START_MS = 10_000;
const KILL_GRACE_MS = 100;

/**
 * One process that scripts run in, one after another. It knows nothing worth stealing: its environment is
 * empty and all it has of its parent is a channel of JSON text. While idle it does not keep the parent alive.
 */
export class ScriptProcess {
  /** Settles when the process is gone. */
  readonly ended: Promise<void>;
  private readonly child: ChildProcess;
  private readonly messages: AsyncIterator<unknown[]>;
  private isReady = false;
  private endReason: unknown = new SandboxUnavailable('The script process died');

  constructor() {
    // A fixed time zone, since dates that a script formats are part of its result.
    this.child = fork(CHILD, [String(process.pid)], {
      cwd: '/',
      env: { TZ: 'UTC' },
      execArgv: NODE_FLAGS,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.messages = on(this.child, 'message', { close: ['exit'] });
    this.ended = new Promise((resolve) => {
      this.child.once('exit', () => resolve());
      this.child.once('error', () => resolve());
    });
    this.holdParent(false);
  }

  /**
   * The script's time begins when the process says so, not when it is asked, and 100 ms after its end the
   * process is killed. After anything but a result the process must be killed and not used again.
   */
  async run(request: ScriptRequest, signal?: AbortSignal): Promise<ScriptOutcome> {
    const abort = () => this.kill(signal?.reason);
    signal?.throwIfAborted();
    signal?.addEventListener('abort', abort, { once: true });
    this.holdParent(true);
    try {
      await this.start();
      this.child.send(request);
      await this.receive(START_MS, new SandboxUnavailable('The script process does not answer'));
      const late = new ScriptError('time_limit', `The script ran longer than ${request.cpuMs ?? request.timeMs} ms`);
      return (await this.receive(request.timeMs + KILL_GRACE_MS, late)) as ScriptOutcome;
    } finally {
      signal?.removeEventListener('abort', abort);
      this.holdParent(false);
    }
  }

  kill(reason?: unknown): void {
    this.endReason = reason ?? this.endReason;
    this.child.kill('SIGKILL');
  }

  private async start(): Promise<void> {
    if (this.isReady) return;
    await this.receive(START_MS, new SandboxUnavailable('The script process did not start'));
    this.isReady = true;
  }

  /** The next message. Kills the process when there is none in time, or when it is gone. */
  private async receive(withinMs: number, late: Error): Promise<ScriptMessage> {
    let isWaiting = true;
    // One turn later: what a busy parent has not read yet came in time.
    const timer = setTimeout(() => setImmediate(() => isWaiting && this.kill(late)), withinMs);
    try {
      // A channel that broke is a process that died.
      const next = await this.messages.next().catch(() => undefined);
      if (!next || next.done) throw this.endReason;
      return next.value[0] as ScriptMessage;
    } finally {
      isWaiting = false;
      clearTimeout(timer);
    }
  }

  private holdParent(isHeld: boolean): void {
    const method = isHeld ? 'ref' : 'unref';
    this.child[method]();
    this.child.channel?.[method]();
  }
}
