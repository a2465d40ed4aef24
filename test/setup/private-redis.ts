import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../src/embedded/free-port.js';
import { findTestRedis } from './redis-program.js';

const READY_TIMEOUT_MS = 10_000;

/** A Redis of one test's own: it can be killed, started again at the same address, and set up wrongly. */
export class PrivateRedis {
  private constructor(
    private readonly program: string,
    private readonly port: number,
    private readonly settings: string[],
    private child: ChildProcess | null = null,
  ) {}

  /** Null where there is no Redis on this machine. */
  static async start(...settings: string[]): Promise<PrivateRedis | null> {
    return PrivateRedis.startAt(await freePort(), ...settings);
  }

  static startAt(port: number, ...settings: string[]): Promise<PrivateRedis | null> {
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    return PrivateRedis.run(port, [...options, ...settings]);
  }

  /** Set up by its file, which it also writes to. */
  static sentinel(port: number, file: string): Promise<PrivateRedis | null> {
    return PrivateRedis.run(port, [file, '--sentinel']);
  }

  private static async run(port: number, settings: string[]): Promise<PrivateRedis | null> {
    const program = findTestRedis();
    if (!program) return null;
    const redis = new PrivateRedis(program, port, settings);
    await redis.start();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Begins with empty memory. */
  async start(): Promise<void> {
    this.child = spawn(this.program, this.settings, { stdio: 'ignore' });
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (!(await this.accepts())) {
      if (Date.now() > deadline) throw new Error('The private Redis does not start');
      await delay(20);
    }
  }

  async kill(): Promise<void> {
    if (!this.child) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    this.child = null;
    await exited;
  }

  private accepts(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = createConnection(this.port, '127.0.0.1');
      const settle = (is: boolean) => {
        socket.destroy();
        resolve(is);
      };
      socket.once('connect', () => settle(true)).once('error', () => settle(false));
    });
  }
}
