import { posix } from 'node:path';
import type { Graph } from './graph.js';

/** Where our inputs lie in a server's input folder: those of all users. */
export const INPUT_FOLDER = 'platen';

export const NO_SERVER_FILES =
  "must not name files that lie at the server, others' among them: a field of the form takes files";

const ANNOTATED = /\[(output|temp|input)\]\s*$/i;

/**
 * The inputs of a graph for which a server would read files of other users. Any text may reach a node that loads
 * files, so all are judged.
 */
export const serverFileInputs = (graph: Graph): Array<{ nodeId: string; input: string }> =>
  Object.entries(graph).flatMap(([nodeId, { inputs }]) =>
    Object.keys(inputs).filter((input) => namesServerFile(inputs[input])).map((input) => ({ nodeId, input })),
  );

/** Whether a value, or any text in it, is `file.png [output]`, or leads to our folder or out of the input folder. */
export function namesServerFile(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(namesServerFile);
  if (typeof value !== 'string') return false;
  const path = posix.normalize(value.trim().replaceAll('\\', '/')).toLowerCase();
  return ANNOTATED.test(value) || [`${INPUT_FOLDER}/`, '../'].some((start) => path.startsWith(start));
}
