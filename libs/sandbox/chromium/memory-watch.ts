import { readdirSync, readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';

const LOOK_MS = 200;
const PAGE_BYTES = 4_096;
const GIB = 1024 ** 3;
/** Resident bytes by kind of process. A page draws 40 megapixels in less; all pages share one for graphics. */
const LIMITS: Record<string, number> = { renderer: 2 * GIB, 'gpu-process': 4 * GIB };

/**
 * Ends a process of the browser that takes too much memory, for as long as the browser lives: Chromium bounds
 * the heap of a page but not its buffers, and a sketch could take all that the machine has. The page is lost
 * with its process, the browser and other pages go on. Needs `/proc`, so that it watches on Linux alone.
 */
export function watchMemory(browser: Browser, browserPid: number): void {
  if (browserPid <= 0) return;
  const watching = setInterval(() => {
    for (const pid of descendantsOf(browserPid)) if (takesTooMuch(pid)) kill(pid);
  }, LOOK_MS).unref();
  browser.once('disconnected', () => clearInterval(watching));
  if (!browser.isConnected()) clearInterval(watching);
}

function descendantsOf(pid: number): number[] {
  const children = entries(`/proc/${pid}/task`)
    .flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).split(' '))
    .filter(Boolean)
    .map(Number);
  return [...children, ...children.flatMap(descendantsOf)];
}

function takesTooMuch(pid: number): boolean {
  const resident = Number(read(`/proc/${pid}/statm`).split(' ')[1] ?? 0) * PAGE_BYTES;
  // Most are small: what kind they are need not be asked then.
  if (resident < Math.min(...Object.values(LIMITS))) return false;
  const kind = /--type=([\w-]+)/.exec(read(`/proc/${pid}/cmdline`))?.[1] ?? '';
  return resident > (LIMITS[kind] ?? Infinity);
}

const entries = (folder: string): string[] => quietly(() => readdirSync(folder), []);
const read = (path: string): string => quietly(() => readFileSync(path, 'utf8'), '');
const kill = (pid: number): void => quietly(() => void process.kill(pid, 'SIGKILL'), undefined);

/** Processes end while they are looked at. */
function quietly<Result>(look: () => Result, otherwise: Result): Result {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
