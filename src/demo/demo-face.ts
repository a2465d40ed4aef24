import type { Platen } from '#libs/client/index.js';
import type { Picture } from './output-folder.js';

/** What a face has made, for files and a contact sheet. */
export interface Exhibition {
  title: string;
  subtitle: string;
  /** What its pictures are called. */
  kind: string;
  pictures: Picture[];
}

/** A face of Platen as the demo shows it: makes pictures and prints how. */
export type DemoFace = (client: Platen) => Promise<Exhibition>;

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
