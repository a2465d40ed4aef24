import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startServers } from '../setup/global-setup.mjs';
import stopServers from '../setup/global-teardown.mjs';
import type { Guard } from './guard.js';
import { guards } from './guards.js';
import { Tree } from './tree.js';

/*
 * `npm run guards [-- part of a name …]`: takes each guard away in turn, in a copy of the sources, and
 * demands that a test fails. What stays green is a promise that nothing keeps us to.
 */
const { positionals } = parseArgs({ allowPositionals: true });
const isChosen = ({ name }: Guard) => positionals.length === 0 || positionals.some((part) => name.includes(part));
/** For all of their spec files, one after another. */
const ALL_TIMEOUT_MS = 3_600_000;
const chosen = guards.filter(isChosen);
// One Postgres and one Redis for all runs.
await startServers();
const tree = new Tree(join(import.meta.dirname, '../..'));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
process.once('exit', () => tree.remove());

const say = (text: string) => process.stdout.write(`${text}\n`);
const unguarded: string[] = [];

const specs = [...new Set(chosen.flatMap(({ red }) => red))];
const before = await tree.test(specs, ALL_TIMEOUT_MS);
if ('broken' in before || before.failed.length > 0) {
  say(`Not green with all guards in place:\n${'broken' in before ? before.broken : before.failed.join('\n')}`);
  await stopServers();
  process.exit(1);
}
say(`${before.passed} tests of ${specs.length} spec files are green with all ${chosen.length} guards in place.`);

for (const guard of chosen) {
  const start = performance.now();
  const verdict = await tree.without(guard);
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  if ('broken' in verdict) say(`✗ ${guard.name}: ${verdict.broken}`);
  else if (verdict.failed.length === 0) say(`✗ ${guard.name}: nothing noticed (${seconds} s)`);
  else say(`✓ ${guard.name} (${seconds} s)\n    ${verdict.failed.slice(0, 3).join('\n    ')}`);
  if ('broken' in verdict || verdict.failed.length === 0) unguarded.push(guard.name);
}
say(`${chosen.length - unguarded.length} of ${chosen.length} guards are watched by a test.`);
process.exitCode = unguarded.length === 0 ? 0 : 1;
// They end with this process, if not now.
await stopServers().catch(() => undefined);
