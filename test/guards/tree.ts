import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Guard } from './guard.js';

/** What a test run says: the names of the tests that failed, or why there is no such answer. */
export type Verdict = { failed: string[]; passed: number } | { broken: string };

const LEFT_OUT = new Set(['node_modules', 'dist', '.git', '.platen']);
const JEST = 'node_modules/jest/bin/jest.js';
/** For the spec files of one guard. */
const TIMEOUT_MS = 600_000;

/** A copy of the sources, in which guards are taken away without touching the original. */
export class Tree {
  private readonly root = mkdtempSync(join(tmpdir(), 'platen-guards-'));

  constructor(private readonly original: string) {
    cpSync(original, this.root, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
    symlinkSync(join(original, 'node_modules'), join(this.root, 'node_modules'));
  }

  /** Runs the spec files without the guard, then puts it back. */
  async without(guard: Guard): Promise<Verdict> {
    const path = join(this.root, guard.file);
    const text = readFileSync(path, 'utf8');
    try {
      writeFileSync(path, textWithout(guard, text));
      return await this.test(guard.red);
    } catch (error) {
      return { broken: String(error) };
    } finally {
      writeFileSync(path, text);
    }
  }

  async test(specs: string[], timeoutMs = TIMEOUT_MS): Promise<Verdict> {
    const report = join(this.root, 'report.json');
    rmSync(report, { force: true });
    // A test that fails may leave open what would keep the process.
    const flags = ['--json', `--outputFile=${report}`, '--runInBand', '--forceExit'];
    const child = spawn(process.execPath, ['--experimental-vm-modules', JEST, ...specs, ...flags], {
      cwd: this.root,
      stdio: 'ignore',
      timeout: timeoutMs,
    });
    const stop = () => child.kill();
    process.once('exit', stop);
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    process.off('exit', stop);
    if (signal) return { broken: `no end within ${timeoutMs / 1_000} s` };
    return verdictOf(readFileSync(report, 'utf8'));
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Throws when the guard is not where the list says, so that no guard is forgotten when code moves. */
export function textWithout({ name, file, find, replace }: Guard, text: string): string {
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`"${name}": its text stands ${places} times in ${file}, not once`);
  return text.replace(find, () => replace);
}

interface JestReport {
  numPassedTests: number;
  testResults: Array<{ message: string; assertionResults: Array<{ status: string; fullName: string }> }>;
}

/** A suite that cannot even be loaded shows that the change is no program, not that a test saw it. */
function verdictOf(text: string): Verdict {
  const { numPassedTests, testResults } = JSON.parse(text) as JestReport;
  const unloaded = testResults.filter(({ assertionResults }) => assertionResults.length === 0);
  if (unloaded.length > 0) return { broken: unloaded.map(({ message }) => message).join('\n') };
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = results.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
  return { failed, passed: numPassedTests };
}
