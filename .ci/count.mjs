// Reads what Jest wrote with `--json`:
//   failed-files <results>             the files with a failed test, a line each
//   total <code> <code> <results>…     `N passed, N failed`, with the exit codes of the checks and of the tests;
//                                      later results of a file replace earlier ones
import { existsSync, readFileSync } from 'node:fs';

const [verb, ...args] = process.argv.slice(2);
const filesOf = (path) =>
  existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).testResults : [];

if (verb === 'failed-files') {
  for (const { name, status } of filesOf(args[0])) if (status === 'failed') process.stdout.write(`${name}\n`);
} else {
  const [checked, tested, ...paths] = args;
  const files = new Map(paths.flatMap(filesOf).map((file) => [file.name, file]));
  const counted = (status) =>
    [...files.values()].flatMap((file) => file.assertionResults).filter((test) => test.status === status).length;
  // A file that could not even be loaded counts as one test; so do checks that failed, and a run that told nothing.
  const unloaded = [...files.values()].filter(({ status, assertionResults }) =>
    status === 'failed' && !assertionResults.some((test) => test.status === 'failed')).length;
  const failed = counted('failed') + unloaded + (checked === '0' ? 0 : 1);
  const told = Math.max(failed, tested === '0' && files.size > 0 ? 0 : 1);
  process.stdout.write(`${counted('passed')} passed, ${told} failed\n`);
  process.exitCode = told > 0 ? 1 : 0;
}
