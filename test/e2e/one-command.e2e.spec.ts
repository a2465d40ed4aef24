import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { processesNaming, Program } from './program.js';

const USER = '0193fd6c-0000-7000-8000-000000000001';
const READY = /^Platen is ready at (http:\/\/127\.0\.0\.1:\d+)$/m;

async function creditsOf(url: string, token: string): Promise<unknown> {
  const answer = await fetch(`${url}/credits`, { headers: { authorization: `Bearer ${token.trim()}` } });
  return ((await answer.json()) as { data: unknown }).data;
}

describe('one command on a fresh machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'platen-one-command-'));
  const PLATEN_HOME = join(folder, 'home');

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** A PATH that leads to all programs of this machine but some. */
  function pathWithout(programs: RegExp): string {
    const path = join(folder, 'bin');
    mkdirSync(path);
    const folders = (process.env.PATH ?? '').split(delimiter).filter((name) => existsSync(name)).reverse();
    const found = new Map(folders.flatMap((from) => readdirSync(from).map((name) => [name, join(from, name)] as const)));
    for (const [name, program] of found) if (!programs.test(name)) symlinkSync(program, join(path, name));
    return path;
  }

  it('starts all of Platen, serves, keeps its data, and stops in order', async () => {
    const first = new Program(['up'], { PLATEN_HOME, PORT: '0' });
    const url = await first.prints(READY);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);

    const studio = new URL(await first.prints(/^Open the studio: (\S+)$/m));
    expect((await fetch(studio)).headers.get('content-type')).toMatch('text/html');
    expect(await creditsOf(url, studio.hash.replace('#token=', ''))).toMatchObject({ available: 100 });

    const token = new Program(['token', '--sub', USER, '--credits', '2.5', '--plan', 'pro'], { PLATEN_HOME });
    expect(await token.end()).toBe(0);
    expect(token.output).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(await creditsOf(url, token.output)).toMatchObject({ available: 2.5, plan: 'pro' });

    const again = new Program(['up'], { PLATEN_HOME, PORT: '0' });
    expect(await again.end()).toBe(1);
    expect(again.errors).toContain(`already runs from ${PLATEN_HOME}`);

    expect(await first.end('SIGTERM')).toBe(0);
    expect(processesNaming(PLATEN_HOME)).toEqual([]);

    const second = new Program(['up'], { PLATEN_HOME, PORT: '0' });
    expect(await creditsOf(await second.prints(READY), token.output)).toMatchObject({ available: 2.5 });
    expect(await second.end('SIGINT')).toBe(0);
    expect(processesNaming(PLATEN_HOME)).toEqual([]);
  }, 120_000);

  it('needs no Redis', async () => {
    const program = new Program(['up'], { PLATEN_HOME, PORT: '0', PATH: pathWithout(/redis|valkey/) });
    const url = await program.prints(READY);
    const ready = (await (await fetch(`${url}/health/ready`)).json()) as { data: unknown };
    expect(ready.data).toEqual({ status: 'ready', degraded: [] });
    expect(processesNaming(join(PLATEN_HOME, 'redis'))).toEqual([]);
    expect(await program.end('SIGTERM')).toBe(0);
  }, 60_000);

  it('says so when the port is taken, and leaves nothing running', async () => {
    const other: Server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const PORT = String((other.address() as AddressInfo).port);
    const program = new Program(['up'], { PLATEN_HOME, PORT });
    expect(await program.end()).toBe(1);
    expect(program.errors).toContain(`Port ${PORT} is taken`);
    expect(processesNaming(PLATEN_HOME)).toEqual([]);
    other.close();
  }, 60_000);

  it('says what is wrong with the configuration, all of it', async () => {
    const program = new Program(['up'], { PLATEN_HOME, PORT: 'many', WORKER_CONCURRENCY: '0' });
    expect(await program.end()).toBe(1);
    expect(program.errors).toMatch(/2 fault.*PORT.*WORKER_CONCURRENCY/s);
  });

  it('refuses to run a role without a database', async () => {
    const program = new Program(['worker'], { PLATEN_HOME });
    expect(await program.end()).toBe(1);
    expect(program.errors).toContain('set DATABASE_URL');
  });
});
