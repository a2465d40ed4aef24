import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from './run.mjs';

const LOCK = join(root, '.launch.lock');
const PATIENCE_MS = 15 * 60_000;

/** Runs `work` while no other launcher of this folder does: two installers in one folder break each other. */
export async function withLock(work) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!take()) {
    if (Date.now() > deadline) throw new Error(`Another command installs or builds; else delete ${LOCK}.`);
    await delay(200);
  }
  process.once('exit', release);
  try {
    return await work();
  } finally {
    release();
    process.off('exit', release);
  }
}

function take() {
  try {
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!isAlive(Number(contents()))) rmSync(LOCK, { force: true });
    return false;
  }
}

function release() {
  if (contents() === String(process.pid)) rmSync(LOCK, { force: true });
}

function contents() {
  try {
    return readFileSync(LOCK, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
