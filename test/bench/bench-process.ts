import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface BenchProgram {
  name: string;
  /** Path of the script. TypeScript needs `typescript`. */
  file: string;
  args?: string[];
  env?: Record<string, string>;
  nodeFlags?: string[];
  /** What it prints once it is ready; the first group is its answer. */
  ready: RegExp;
}

const READY_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 40_000;
const REPLY_TIMEOUT_MS = 30 * 60_000;
const KEPT_OUTPUT = 20_000;
/** `/proc` counts processor time in these. */
const TICKS_PER_SECOND = 100;
/** Places in `/proc/<pid>/stat` behind the name: time in user mode and in the kernel, of all threads. */
const [USER_TIME, KERNEL_TIME] = [11, 12];

/** A Node process of the benchmark: it ends with us, its processor time and memory can be read. */
export class BenchProcess {
  /** What `ready` found. */
  answer = '';
  private output = '';
  private readonly exited: Promise<unknown>;

  private constructor(
    private readonly program: BenchProgram,
    private readonly child: ChildProcess,
  ) {
    const keep = (piece: Buffer) => (this.output = (this.output + piece.toString()).slice(-KEPT_OUTPUT));
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    this.exited = once(child, 'close');
  }

  static async start(program: BenchProgram): Promise<BenchProcess> {
    const { PATH = '', HOME = '', TMPDIR = '' } = process.env;
    const args = [...(program.nodeFlags ?? []), program.file, ...(program.args ?? [])];
    const child = spawn(process.execPath, args, {
      env: { PATH, HOME, ...(TMPDIR && { TMPDIR }), LOG_LEVEL: 'warn', ...program.env },
      // By the channel it learns when we are gone, and stops.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const started = new BenchProcess(program, child);
    await started.becomeReady().catch(async (error: unknown) => {
      await started.stop();
      throw error;
    });
    return started;
  }

  /** Seconds of processor time so far. */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[USER_TIME]) + Number(fields[KERNEL_TIME])) / TICKS_PER_SECOND;
  }

  /** Resident memory, MiB: now, or (`VmHWM`) the most since the start. */
  memory(which: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
    return memoryOf(Number(this.child.pid), which);
  }

  /** Resident memory of all processes below it, MiB. What they share counts for each. */
  memoryBelow(): number {
    return descendantsOf(Number(this.child.pid)).reduce((sum, pid) => sum + memoryOf(pid, 'VmRSS'), 0);
  }

  /** Sends a request over the channel and returns the answer. One at a time. */
  async ask<Reply>(request: object): Promise<Reply> {
    const abort = new AbortController();
    const late = AbortSignal.any([abort.signal, AbortSignal.timeout(REPLY_TIMEOUT_MS)]);
    const died = this.exited.then(() => Promise.reject(this.failure('ended')));
    try {
      const reply = once(this.child, 'message', { signal: late });
      this.child.send(request);
      const [{ error, value }] = (await Promise.race([reply, died])) as [{ error?: string; value: Reply }];
      if (error !== undefined) throw this.failure(error);
      return value;
    } finally {
      died.catch(() => undefined);
      abort.abort();
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    const killing = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.exited;
    clearTimeout(killing);
  }

  private async becomeReady(): Promise<void> {
    const deadline = Date.now() + READY_TIMEOUT_MS;
    for (;;) {
      const found = this.program.ready.exec(this.output);
      if (found) {
        this.answer = found[1] ?? '';
        return;
      }
      if (Date.now() > deadline || this.child.exitCode !== null) throw this.failure('is not ready');
      await delay(20);
    }
  }

  private failure(what: string): Error {
    return new Error(`${this.program.name}: ${what}\n${this.output}`);
  }
}

/** None of a process that has ended. */
function memoryOf(pid: number, which: string): number {
  return Number(new RegExp(`^${which}:\\s+(\\d+)`, 'm').exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
}

function descendantsOf(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return [...children, ...children.flatMap(descendantsOf)];
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
