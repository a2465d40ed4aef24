import { randomUUID } from 'node:crypto';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { SketchError, type VideoFormat } from '#libs/sandbox/sketch-renderer.js';

const MAX_BYTES = 2 * 1024 ** 3;
const HEAD_BYTES = 12;

const MAGIC: Record<VideoFormat, (head: Buffer) => boolean> = {
  webm: (head) => head.toString('hex', 0, 4) === '1a45dfa3',
  mp4: (head) => head.toString('latin1', 4, 8) === 'ftyp',
  gif: (head) => head.toString('latin1', 0, 6) === 'GIF89a',
};

/** Where a video grows, on disk and without a name: it goes with its last reader, whatever becomes of us. */
export class VideoFile {
  private constructor(private readonly file: FileHandle) {}

  static async createIn(folder: string): Promise<VideoFile> {
    const path = join(folder, `video-${randomUUID()}`);
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    return new VideoFile(file);
  }

  /** Throws SketchError beyond 2 GiB: the page says where, and the page may be the sketch's. */
  async write(position: number, bytes: Buffer): Promise<void> {
    if (position + bytes.length > MAX_BYTES) throw new SketchError('error', 'The video is larger than 2 GiB', true);
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.file.write(bytes, at, bytes.length - at, position + at);
      at += bytesWritten;
    }
  }

  /** Reads it once and closes it. Throws SketchError when it is not what it should be. */
  async read(format: VideoFormat, signal: AbortSignal | undefined): Promise<Readable> {
    const { buffer } = await this.file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    if (!MAGIC[format](buffer)) throw new SketchError('error', `The video could not be saved as ${format}`, true);
    const bytes = this.file.createReadStream({ start: 0 });
    return signal ? addAbortSignal(signal, bytes) : bytes;
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
