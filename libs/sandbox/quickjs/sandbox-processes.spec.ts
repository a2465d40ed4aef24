import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxUnavailable, ScriptError, type ScriptRun } from '../script-sandbox.js';
import { QuickJsSandbox } from './quickjs-sandbox.js';

const MIB = 1024 ** 2;
/** What nobody ends goes on for ever, or for the 25 s it may take here; a busy machine takes seconds. */
const ENDED_MS = 12_000;
/** As a program's text: the file that script processes run. */
const CHILD = JSON.stringify(join(import.meta.dirname, 'script-child.mjs'));

let sandbox: QuickJsSandbox;
beforeEach(() => {
  sandbox = new QuickJsSandbox();
});
afterEach(() => sandbox.close());

const run = (code: string, changes: Partial<ScriptRun> = {}) =>
  sandbox.run({
    code,
    entry: 'function_body',
    globals: { inputs: {} },
    limits: { timeMs: 1_000, memoryBytes: 64 * MIB },
    ...changes,
  });

const valueOf = async (code: string, changes: Partial<ScriptRun> = {}) => {
  const { value } = await run(code, changes);
  return value.kind === 'json' ? value.value : value.bytes;
};

const failureOf = async (code: string, changes: Partial<ScriptRun> = {}): Promise<ScriptError> => {
  const error = await run(code, changes).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ScriptError);
  return error as ScriptError;
};

/** A file of /proc; empty when its process is just gone. */
function readProcess(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}

/** Process ids of script processes under this one. */
const childIds = (): number[] =>
  readdirSync(`/proc/${process.pid}/task`)
    .flatMap((thread) => readProcess(`${process.pid}/task/${thread}/children`).split(' '))
    .filter((id) => id !== '' && readProcess(`${id}/cmdline`).includes('script-child'))
    .map(Number);

const megabytesOf = (id: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readProcess(`${id}/status`))?.[1] ?? 0) / 1024;

describe('limits', () => {
  it.each([
    ['an endless loop', 'while (true);'],
    ['an endless chain of promises', 'for (;;) await null'],
    [
      'a loop that swallows its interruption',
      'const f = async () => { for (;;); }; await f().catch(() => {}); return 1',
    ],
    ['a catastrophic regular expression', 'return /(a+)+$/.test("a".repeat(60) + "b")'],
    [
      'a native call that cannot be interrupted',
      'for (;;) "abc".repeat(1e7).indexOf("abd" + "x".repeat(1e6))',
    ],
    ['a result that takes for ever', 'return { toJSON() { for (;;); } }'],
  ])('ends %s in time', async (_name, code) => {
    await run('return 1');
    const started = performance.now();
    const { reason } = await failureOf(code, { limits: { timeMs: 200, memoryBytes: 64 * MIB } });
    expect(reason).toBe('time_limit');
    expect(performance.now() - started).toBeLessThan(ENDED_MS);
  });

  it.each([
    ['arrays', 'const a = []; for (;;) a.push(new Array(1e4).fill(1))'],
    ['objects', 'let o = {}; for (;;) o = { o }'],
    ['buffers', 'const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1))'],
  ])('bounds a loop that allocates %s', async (_name, code) => {
    const peaks: number[] = [];
    const sampler = setInterval(() => peaks.push(...childIds().map(megabytesOf)), 5);
    const { reason } = await failureOf(code, { limits: { timeMs: 5_000, memoryBytes: 64 * MIB } });
    clearInterval(sampler);
    expect(reason).toBe('memory_limit');
    expect(Math.max(...peaks)).toBeLessThan(250);
  });

  it('refuses in little memory what fits into more', async () => {
    const code =
      'const a = []; for (let i = 0; i < 20; i++) a.push(new Uint8Array(1e6).fill(1)); return a.length';
    const { reason } = await failureOf(code, { limits: { timeMs: 1_000, memoryBytes: 16 * MIB } });
    expect(reason).toBe('memory_limit');
    await expect(valueOf(code)).resolves.toBe(20);
  });

  it('lets a script recurse deeply and catch going too far', async () => {
    await expect(valueOf('const f = (n) => n && 1 + f(n - 1); return f(3000)')).resolves.toBe(3000);
    const code = 'const f = () => f(); try { f() } catch (error) { return error.message }';
    await expect(valueOf(code)).resolves.toMatch(/stack/);
    await expect(failureOf('const f = () => f(); f()')).resolves.toMatchObject({ reason: 'error' });
    await expect(failureOf('JSON.parse("[".repeat(1e6))')).resolves.toMatchObject({ reason: 'error' });
  });
});

describe('processes', () => {
  it('holds no secrets: the environment of its process is empty', async () => {
    await run('return 1');
    const [id] = childIds();
    const names = readProcess(`${id}/environ`)
      .split('\0')
      .filter(Boolean)
      .map((pair) => pair.split('=')[0]);
    expect(names.filter((name) => !name?.startsWith('NODE_CHANNEL'))).toEqual(['TZ']);
  });

  it('serves many runs at once, each with its own result', async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, n) => valueOf('return inputs * 2', { globals: { inputs: n } })),
    );
    expect(results).toEqual(Array.from({ length: 20 }, (_, n) => n * 2));
    expect(childIds().length).toBeLessThanOrEqual(3);
  });

  it('uses a process again after a result and never after a failure', async () => {
    await run('return 1');
    const before = childIds().sort();
    await run('return 2');
    expect(childIds().sort()).toEqual(before);
    await failureOf('throw new Error("no")');
    await sleep(100);
    expect(childIds().filter((id) => before.includes(id))).toHaveLength(1);
    await expect(valueOf('return 3')).resolves.toBe(3);
  });

  it('goes on when an idle process dies', async () => {
    await run('return 1');
    childIds().forEach((id) => process.kill(id, 'SIGKILL'));
    await sleep(100);
    await expect(valueOf('return 2')).resolves.toBe(2);
  });

  it('says that the world failed when a process dies under a script', async () => {
    await run('return 1');
    const running = run('for (;;);', { limits: { timeMs: 5_000, memoryBytes: 64 * MIB } });
    setTimeout(() => childIds().forEach((id) => process.kill(id, 'SIGKILL')), 100);
    await expect(running).rejects.toBeInstanceOf(SandboxUnavailable);
  });

  it('ends a script at once when its signal aborts, running or waiting', async () => {
    const limits = { timeMs: 25_000, memoryBytes: 64 * MIB };
    const abort = new AbortController();
    const running = Array.from({ length: 4 }, () => run('for (;;);', { limits, signal: abort.signal }));
    setTimeout(() => abort.abort(new Error('cancelled')), 300);
    const started = performance.now();
    for (const result of await Promise.allSettled(running)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { message: 'cancelled' } });
    }
    expect(performance.now() - started).toBeLessThan(ENDED_MS);
    await expect(run('return 1', { signal: abort.signal })).rejects.toThrow('cancelled');
  });

  it('refuses more waiting scripts than its limit', async () => {
    const small = new QuickJsSandbox(1, 1);
    const script = {
      code: 'return 1',
      entry: 'function_body',
      globals: {},
      limits: { timeMs: 1_000, memoryBytes: 0 },
    } as const;
    const results = await Promise.allSettled([1, 2, 3].map(() => small.run(script)));
    await small.close();
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(results[2]).toMatchObject({ reason: expect.any(SandboxUnavailable) });
  });

  it('leaves no process after close, and ends what ran and waited', async () => {
    const limits = { timeMs: 10_000, memoryBytes: 64 * MIB };
    const running = Promise.allSettled(Array.from({ length: 5 }, () => run('for (;;);', { limits })));
    await sleep(300);
    await sandbox.close();
    expect((await running).map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
    expect(childIds()).toEqual([]);
    await expect(run('return 1')).rejects.toBeInstanceOf(SandboxUnavailable);
  });

  it.each([0, 120, 250, 400])('ends when its parent was killed %i ms after its start', async (ms) => {
    const parent = spawn(process.execPath, [
      '-e',
      `
      const child = require('node:child_process').fork(${CHILD}, [String(process.pid)]);
      require('node:fs').writeSync(1, String(child.pid));
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${ms});
    `,
    ]);
    const id = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)));
    for (let wait = 0; existsSync(`/proc/${id}`) && wait < 100; wait++) await sleep(100);
    const isLeft = existsSync(`/proc/${id}`);
    if (isLeft) process.kill(id, 'SIGKILL');
    expect(isLeft).toBe(false);
  });

  it.each([
    ['idle', 'return 1'],
    ['in the middle of a script', 'for (;;);'],
    [
      'in a native call that cannot be interrupted',
      'for (;;) "abc".repeat(1e7).indexOf("abd" + "x".repeat(1e6))',
    ],
  ])('ends after its parent was killed while it is %s', async (_name, code) => {
    const request = { code, entry: 'function_body', globals: '{}', timeMs: 60_000, memoryBytes: 64 * MIB };
    const parent = spawn(process.execPath, [
      '-e',
      `
      const child = require('node:child_process').fork(${CHILD}, [String(process.pid)]);
      child.on('message', (message) => message === 'ready' && child.send(${JSON.stringify(request)}));
      child.on('message', (message) => message === 'started' && console.log(child.pid));
    `,
    ]);
    const id = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)));
    parent.kill('SIGKILL');
    expect(existsSync(`/proc/${id}`)).toBe(true);
    for (let wait = 0; existsSync(`/proc/${id}`) && wait < 40; wait++) await sleep(100);
    const isLeft = existsSync(`/proc/${id}`);
    if (isLeft) process.kill(id, 'SIGKILL');
    expect(isLeft).toBe(false);
  });
});
