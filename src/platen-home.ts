import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isRunning } from './embedded/process-list.js';

/** The secrets of an installation, made where none are configured. */
export interface Secrets {
  JWT_SECRET: string;
  PLATEN_MASTER_KEY: string;
}

/** How the other commands find the Platen that runs from this folder. */
export interface RunningPlaten {
  pid: number;
  url: string;
  databaseUrl: string;
  redisUrl?: string;
}

/** What `platen up` is called in the list of processes. */
const PROGRAM = 'main.js';
const OWNER_ONLY = 0o600;

/** The folder of an installation: data of the embedded servers, secrets, local files. */
export class PlatenHome {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = resolve(folder);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** The kept secrets; made once, also when two processes start at the same moment. */
  secrets(): Secrets {
    const kept = this.read<Secrets>('secrets.json');
    if (kept) return kept;
    const draft = this.write(`secrets.${process.pid}.json`, {
      JWT_SECRET: randomBytes(32).toString('hex'),
      PLATEN_MASTER_KEY: randomBytes(32).toString('hex'),
    });
    try {
      linkSync(draft, this.path('secrets.json'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(draft);
    }
    return this.read<Secrets>('secrets.json') as Secrets;
  }

  running(): RunningPlaten | undefined {
    const running = this.announced();
    return running && running.pid !== process.pid && isRunning(running.pid, PROGRAM) ? running : undefined;
  }

  announce(running: RunningPlaten): void {
    this.write('running.json', running);
  }

  withdraw(): void {
    rmSync(this.path('running.json'), { force: true });
  }

  /** What a power cut left half of is nothing. */
  private announced(): RunningPlaten | undefined {
    try {
      return this.read<RunningPlaten>('running.json');
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  private read<Content>(name: string): Content | undefined {
    try {
      return JSON.parse(readFileSync(this.path(name), 'utf8')) as Content;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  private write(name: string, content: object): string {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    writeFileSync(this.path(name), `${JSON.stringify(content, null, 2)}\n`, { mode: OWNER_ONLY, flush: true });
    return this.path(name);
  }
}
