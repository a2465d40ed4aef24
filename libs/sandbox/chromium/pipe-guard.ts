import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import type { Readable } from 'node:stream';

/** The longest that we ask for, a piece of an image, is 12 MB. */
const MAX_MESSAGE_BYTES = 64 * 1024 ** 2;
/** Chromium's pipes, with `--remote-debugging-pipe`: each message ends with a zero byte. */
const QUESTIONS = 3;
const ANSWERS = 4;

let isOn = false;

/**
 * Ends a browser that sends a message of more than 64 MB, from now on. Playwright makes one string of each
 * message; of one longer than a string may be, that throws where nobody can catch it, and the process dies.
 * A sketch can make Chromium send one: by the console of a frame, say.
 */
export function guardBrowserPipes(): void {
  if (isOn) return;
  isOn = true;
  subscribe('child_process', (message) => {
    const child = (message as { process: ChildProcess }).process;
    child.once('spawn', () => guard(child));
  });
}

function guard(child: ChildProcess): void {
  const answers = child.stdio[ANSWERS] as Readable | undefined;
  if (!answers || !child.spawnargs.includes('--remote-debugging-pipe')) return;
  let length = 0;
  answers.prependListener('data', (bytes: Buffer) => {
    const last = bytes.lastIndexOf(0);
    length = last < 0 ? length + bytes.length : bytes.length - last - 1;
    if (length <= MAX_MESSAGE_BYTES) return;
    // With both pipes gone Chromium ends by itself, and Playwright knows that it is lost.
    for (const pipe of child.stdio.slice(QUESTIONS)) pipe?.destroy();
  });
}
