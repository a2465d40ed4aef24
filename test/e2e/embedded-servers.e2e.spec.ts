import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Redis } from 'ioredis';
import pg from 'pg';

interface Servers {
  process: ChildProcess;
  databaseUrl: string;
  redisUrl?: string;
}

const hook = pathToFileURL(join(import.meta.dirname, '../setup/typescript.mjs')).href;

async function start(folder: string): Promise<Servers> {
  const child = fork(join(import.meta.dirname, 'embedded-servers-program.ts'), [folder], {
    execArgv: ['--import', hook],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const [urls] = await once(child, 'message', { signal: AbortSignal.timeout(30_000) });
  return { process: child, ...(urls as { databaseUrl: string; redisUrl?: string }) };
}

async function stop({ process: child }: Servers): Promise<void> {
  const exited = once(child, 'exit', { signal: AbortSignal.timeout(20_000) });
  child.send('stop');
  await exited;
}

async function kill({ process: child }: Servers): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function command(url: string, ...[name, ...args]: [string, ...string[]]): Promise<unknown> {
  const client = new Redis(url);
  try {
    return await client.call(name, ...args);
  } finally {
    client.disconnect();
  }
}

describe('the embedded servers', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'platen-servers-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('keep their data, also when what started them was killed and they were left running', async () => {
    const first = await start(folder);
    await query(first.databaseUrl, 'create table kept as select 42 as answer');
    if (first.redisUrl) await command(first.redisUrl, 'SET', 'kept', '42');
    await kill(first);

    const second = await start(folder);
    expect(await query(second.databaseUrl, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await expect(query(first.databaseUrl, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    if (second.redisUrl) expect(await command(second.redisUrl, 'GET', 'kept')).toBe('42');
    await stop(second);
    await expect(query(second.databaseUrl, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('let nobody in without the password', async () => {
    const servers = await start(folder);
    const url = new URL(servers.databaseUrl);
    url.password = 'guess';
    await expect(query(url.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    await stop(servers);
  });
});
