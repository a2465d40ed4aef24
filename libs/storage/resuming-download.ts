import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** Failures in a row, without a byte in between. */
const MAX_FAILURES = 5;
const FIRST_DELAY_MS = 50;

export interface DownloadPlan {
  /** The bytes as far as the answer that is already there gives them. */
  first: Readable;
  /** How many bytes the whole download has. */
  length: number;
  /** Asks again for what follows the first `offset` bytes of the download. */
  resume(offset: number): Promise<Readable>;
}

/**
 * A download over HTTP that is cut goes on where it was. So a reader that pauses for long, and whose
 * connection is given up meanwhile, loses nothing either. Gives all bytes or ends with an error.
 */
export class ResumingDownload extends Readable {
  private received = 0;
  private body!: Readable;
  private chunks!: AsyncIterator<Buffer>;

  constructor(private readonly plan: DownloadPlan) {
    super();
    this.follow(plan.first);
  }

  override _read(): void {
    this.next().then(
      (chunk) => this.push(chunk),
      (error: Error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.body.destroy();
    done(error);
  }

  private follow(body: Readable): void {
    this.body = body;
    // What goes wrong while nobody reads is found out by the next read.
    body.on('error', () => undefined);
    this.chunks = body[Symbol.asyncIterator]();
  }

  /** The next bytes; null at the end. */
  private async next(): Promise<Buffer | null> {
    for (let failures = 0; ; failures++) {
      try {
        const { value, done } = await this.chunks.next();
        if (!done) return this.count(value);
        if (this.received === this.plan.length) return null;
        throw new Error(`The download ended after ${this.received} of ${this.plan.length} bytes`);
      } catch (error) {
        if (failures === MAX_FAILURES || this.destroyed) throw error;
        await sleep(FIRST_DELAY_MS * 2 ** failures);
        this.follow(await this.plan.resume(this.received));
      }
    }
  }

  private count(chunk: Buffer): Buffer {
    this.received += chunk.length;
    return chunk;
  }
}
