import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Scenario } from '../harness/scenario.js';
import type { Storm } from '../harness/storm.js';

const TEST = join(import.meta.dirname, '..', '..');
const CLASS = /^(\/\S+): (\d+) requests, (\d+) failures$/;
/** Route classes there are at least. */
const LEAST_CLASSES = 12;

/** Requests made of our own OpenAPI, by the program of `test/fuzz`, which starts what it needs itself. */
export const fuzz: Scenario = {
  name: 'fuzz',
  promise: 'Whatever is sent to the API is answered as its OpenAPI says, and never by a failure of ours.',
  backends: ['postgres'],

  async run(storm) {
    const requests = storm.sized(10_000, 1_000);
    const seed = storm.random('requests').integer(0, 2 ** 30);
    const program = spawn(
      process.execPath,
      ['--import', join(TEST, 'setup', 'typescript.mjs'), join(TEST, 'fuzz', 'main.ts'), '--requests', `${requests}`, '--seed', `${seed}`],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    for await (const line of createInterface({ input: program.stdout })) note(storm, line);
    if (program.exitCode === null) await once(program, 'exit');
    if (program.exitCode !== 0 && storm.faults.length === 0) storm.fault(`the program ended with ${program.exitCode}`);
    storm.mustReach('route classes', LEAST_CLASSES);
    storm.mustReach('requests', requests * LEAST_CLASSES * 0.5);
  },
};

function note(storm: Storm, line: string): void {
  const [, routeClass, requests] = CLASS.exec(line) ?? [];
  if (routeClass !== undefined) {
    storm.did('route classes');
    storm.did('requests', Number(requests));
  } else if (line.trimStart().startsWith('✕')) storm.fault(line.trim());
}
