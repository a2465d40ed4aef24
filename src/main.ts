import 'reflect-metadata';
import { endWithReader } from './closed-output.js';
import { createProgram } from './program.js';
import { report } from './report.js';

endWithReader(process.stdout, (code) => process.exit(code));
try {
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
// A handle that a library forgot must not keep a finished command alive.
setTimeout(() => process.exit(), 3_000).unref();
