import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../../src/embedded/free-port.js';
import { eventually } from './eventually.js';
import { PrivateRedis } from './private-redis.js';
import { findTestRedis } from './redis-program.js';

const READY_MS = 20_000;
const SLOTS = 16_384;

/** Whether a redis-server is here, and of version 7 or newer: older ones cannot be told the port of their cluster's bus. */
export function canFormFleet(): boolean {
  const program = findTestRedis();
  return program !== undefined && Number(/\bv=(\d+)/.exec(String(execFileSync(program, ['--version'])))?.[1]) >= 7;
}

/** Several servers of one test's own on loopback, which form a cluster or are watched by a sentinel. */
export class RedisFleet {
  private readonly folder = mkdtempSync(join(tmpdir(), 'redis-fleet-'));
  readonly servers: PrivateRedis[] = [];

  private constructor(readonly url: string) {}

  /** Masters that share the slots evenly, without replicas. */
  static async cluster(masters: number): Promise<RedisFleet> {
    const ports: number[] = [];
    while (ports.length < masters) ports.push(await freePort());
    const fleet = new RedisFleet(`redis+cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`);
    const busPorts: number[] = [];
    for (const port of ports) {
      const busPort = await freePort();
      busPorts.push(busPort);
      const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-config-file', `${port}.conf`];
      await fleet.start(port, ...cluster, '--cluster-node-timeout', '2000');
    }
    await fleet.each(async (node, index) => {
      await node.cluster('ADDSLOTSRANGE', Math.ceil((SLOTS * index) / masters), Math.ceil((SLOTS * (index + 1)) / masters) - 1);
      await node.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    });
    await fleet.each(async (node) => {
      for (const [index, port] of ports.entries()) await node.call('CLUSTER', 'MEET', '127.0.0.1', port, busPorts[index]!);
    });
    await fleet.each((node) => eventually(async () => {
      expect(await node.call('CLUSTER', 'INFO')).toMatch(new RegExp(`cluster_state:ok[^]*cluster_known_nodes:${masters}\\b`));
    }, READY_MS));
    return fleet;
  }

  /** A master, `servers[0]`, its replica, `servers[1]`, and one sentinel, which takes a second to find a master dead. */
  static async sentinel(): Promise<RedisFleet> {
    const [master, replica, sentinel] = [await freePort(), await freePort(), await freePort()];
    const fleet = new RedisFleet(`redis+sentinel://127.0.0.1:${sentinel}/0?name=main`);
    await fleet.start(master, '--repl-diskless-sync-delay', '0');
    await fleet.start(replica, '--replicaof', '127.0.0.1', String(master));
    await fleet.each((node, index) => eventually(async () => {
      if (index === 1) expect(await node.info('replication')).toContain('master_link_status:up');
    }, READY_MS));
    const file = join(fleet.folder, 'sentinel.conf');
    writeFileSync(file, [
      `port ${sentinel}`, 'bind 127.0.0.1', `dir ${fleet.folder}`, `sentinel monitor main 127.0.0.1 ${master} 1`,
      'sentinel down-after-milliseconds main 1000', 'sentinel failover-timeout main 3000', '',
    ].join('\n'));
    fleet.servers.push((await PrivateRedis.sentinel(sentinel, file))!);
    const asked = new Redis(sentinel, '127.0.0.1');
    await eventually(async () => {
      expect(String(await asked.call('SENTINEL', 'REPLICAS', 'main'))).toContain('master-link-status,ok');
    }, READY_MS);
    asked.disconnect();
    return fleet;
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** To each server itself, in their order. */
  async each(work: (node: Redis, index: number) => unknown): Promise<void> {
    for (const [index, { url }] of this.servers.entries()) {
      const node = new Redis(url);
      await work(node, index);
      node.disconnect();
    }
  }

  private async start(port: number, ...settings: string[]): Promise<void> {
    this.servers.push((await PrivateRedis.startAt(port, '--dir', this.folder, ...settings))!);
  }
}
