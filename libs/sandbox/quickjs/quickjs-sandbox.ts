import PQueue from 'p-queue';
import { streamSeed } from '#libs/instruction-set/random.js';
import {
  SandboxUnavailable,
  ScriptError,
  ScriptSandbox,
  type ScriptRun,
  type ScriptValue,
} from '../script-sandbox.js';
import { ScriptProcess } from './script-process.js';
import type { ScriptRequest } from './script-protocol.js';
import { readJson, storableText } from './storable-json.js';

/**
 * Runs scripts in QuickJS, built to WASM with a capped memory, in child processes that wait warm. Each run
 * gets an instance of its own; a process that saw any failure is killed and another started in its place.
 */
export class QuickJsSandbox extends ScriptSandbox {
  private readonly queue: PQueue;
  private readonly processes = new Set<ScriptProcess>();
  private readonly idle: ScriptProcess[] = [];
  private isClosed = false;

  /** Runs `concurrency` scripts at once and lets `maxWaiting` more wait; beyond that it is unavailable. */
  constructor(
    concurrency = 2,
    private readonly maxWaiting = 256,
  ) {
    super();
    this.queue = new PQueue({ concurrency });
  }

  async run(script: ScriptRun): Promise<{ value: ScriptValue; logs: string[] }> {
    script.signal?.throwIfAborted();
    if (this.queue.size >= this.maxWaiting) throw new SandboxUnavailable('Too many scripts are waiting');
    return this.queue.add(() => this.runInProcess(script), { signal: script.signal });
  }

  /** Ends what runs and what waits, and leaves no process behind. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const process of this.processes) process.kill(closed());
    await this.queue.onIdle();
    await Promise.all([...this.processes].map((process) => process.ended));
  }

  private async runInProcess(script: ScriptRun): Promise<{ value: ScriptValue; logs: string[] }> {
    if (this.isClosed) throw closed();
    script.onStart?.();
    const process = this.idle.pop() ?? this.startProcess();
    if (this.idle.length === 0) this.idle.push(this.startProcess());
    try {
      const { logs, json, bytes, failure } = await process.run(requestOf(script), script.signal);
      const lines = logs.map(storableText);
      if (failure) throw new ScriptError(failure.reason, storableText(failure.message), lines);
      const value = bytes === undefined ? readJson(json ?? 'null') : readBytes(bytes);
      this.idle.push(process);
      return { value, logs: lines };
    } catch (error) {
      process.kill();
      throw error;
    }
  }

  private startProcess(): ScriptProcess {
    const process = new ScriptProcess();
    this.processes.add(process);
    void process.ended.then(() => {
      this.processes.delete(process);
      const index = this.idle.indexOf(process);
      if (index >= 0) this.idle.splice(index, 1);
    });
    return process;
  }
}

const closed = () => new SandboxUnavailable('The sandbox is closed');

const readBytes = (base64: string): ScriptValue => ({
  kind: 'bytes',
  bytes: Buffer.from(base64, 'base64'),
});

const requestOf = ({ code, entry, globals, hash, limits }: ScriptRun): ScriptRequest => ({
  code,
  entry,
  globals: JSON.stringify(globals),
  seeds:
    hash === undefined
      ? undefined
      : { mathRandom: streamSeed(hash, 'Math.random'), random: streamSeed(hash, 'random') },
  timeMs: limits.timeMs,
  cpuMs: limits.cpuMs,
  memoryBytes: limits.memoryBytes,
});
