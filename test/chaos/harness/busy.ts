import { setTimeout as delay } from 'node:timers/promises';
import { openGenerations } from './calm.js';
import type { Load, Work } from './load.js';
import type { Storm } from './storm.js';
import { DOOMED, WORKS } from './works.js';

export interface Busyness {
  /** Generations that are open at once, about. */
  open: number;
  /** Of a submission to be one that fails, from 0 to 1. */
  doomed?: number;
  /** Generations of one submission at most. */
  most?: number;
  isOver: () => boolean;
}

/** Keeps work before the workers, of all kinds, until it is over. Never fails: what breaks it is the storm's fault. */
export async function keepBusy(storm: Storm, load: Load, busyness: Busyness): Promise<void> {
  try {
    await submitAll(storm, load, busyness);
  } catch (error) {
    storm.fault(`Clients gave up: ${String(error)}`);
  }
}

async function submitAll(storm: Storm, load: Load, { open, doomed = 0, most = 10, isOver }: Busyness): Promise<void> {
  const random = storm.random('load');
  const works: Work[] = [];
  for (const steps of WORKS) works.push(await load.store(steps));
  const failing = await load.store(DOOMED);
  while (!isOver()) {
    if ((await openGenerations(storm.town)) >= open) await delay(200);
    else if (random.number() < doomed) await load.submit(failing);
    else await load.submit(random.pick(works), random.integer(1, most));
  }
}
