import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What is drawn of one file, and where to. */
export interface DrawingOrder {
  source: string;
  /** What has more is not decoded. */
  maxPixels: number;
  /** The whole picture as JPEG; null: none. */
  poster: string | null;
  /** WebP, whose longer side has at most so many pixels. */
  thumbnails: Array<{ side: number; path: string }>;
}

export interface Drawing {
  path: string;
  width: number;
  height: number;
}

/** The file is at fault: it will never be drawn. */
export class UndrawableFile extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UndrawableFile';
  }
}

const CHILD = join(import.meta.dirname, 'thumbnail-child.mjs');
const TIME_LIMIT_MS = 60_000;
const IDLE_MS = 30_000;

/**
 * Draws thumbnails in a process of its own, which has the lowest priority: no lease and no render waits for it, and a
 * file that breaks its decoder breaks nothing else. It is started when it is first needed and ends when it has had
 * nothing to do for half a minute.
 */
export class ThumbnailProcess {
  private child?: ChildProcess;
  private idle?: NodeJS.Timeout;

  /** One order at a time. Throws `UndrawableFile`; anything else when the process dies or takes too long. */
  async draw(order: DrawingOrder, signal: AbortSignal): Promise<Drawing[]> {
    clearTimeout(this.idle);
    const child = (this.child ??= this.start());
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT_MS)]);
    try {
      limit.throwIfAborted();
      child.send(order);
      const answer = await this.answerOf(child, limit);
      if ('fault' in answer) throw new UndrawableFile(answer.fault);
      return answer.drawings;
    } catch (error) {
      if (!(error instanceof UndrawableFile)) this.close();
      throw error;
    } finally {
      this.idle = setTimeout(() => this.close(), IDLE_MS).unref();
    }
  }

  close(): void {
    clearTimeout(this.idle);
    this.child?.kill('SIGKILL');
    this.child = undefined;
  }

  private start(): ChildProcess {
    const child = fork(CHILD, { cwd: '/', env: {}, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    child.on('error', () => undefined);
    child.unref();
    child.channel?.unref();
    return child;
  }

  private async answerOf(child: ChildProcess, signal: AbortSignal): Promise<Answer> {
    const settled = new AbortController();
    const gone = once(child, 'exit', { signal: settled.signal }).then(() => {
      throw new Error('The process that draws thumbnails died');
    });
    try {
      const answered = once(child, 'message', { signal: AbortSignal.any([signal, settled.signal]) });
      const [answer] = (await Promise.race([answered, gone])) as [Answer];
      return answer;
    } finally {
      gone.catch(() => undefined);
      settled.abort();
    }
  }
}

type Answer = { drawings: Drawing[] } | { fault: string };
