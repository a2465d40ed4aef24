import { open, type FileHandle } from 'node:fs/promises';
import type { CustomSourceOptions, Input } from 'mediabunny';
import type { Dimensions } from './image.js';

/** What is read of a file that is played. */
export interface Played extends Dimensions {
  /** Seconds. */
  duration: number | null;
}

const TIME_LIMIT_MS = 5_000;
/** The index of a film of some hours. Whatever a stranger's file claims, no more of it is looked at. */
const MAX_READ_BYTES = 32 * 1024 ** 2;
const UNKNOWN: Played = { width: null, height: null, duration: null };

export const isPlayed = (mimeType: string): boolean => /^(video|audio)\//.test(mimeType);

/**
 * How long a video or a sound lasts and how large a video is shown, as far as its file tells within five seconds. Never
 * throws: a file that tells nothing is a file all the same.
 */
export async function readPlayed(path: string, mimeType: string): Promise<Played> {
  if (!isPlayed(mimeType)) return UNKNOWN;
  // With the first of them: many workers never see one.
  const { ALL_FORMATS, CustomSource, Input } = await import('mediabunny');
  const file = await open(path);
  const input = new Input({ formats: ALL_FORMATS, source: new CustomSource(boundedReads(file)) });
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<Played>((resolve) => (timer = setTimeout(resolve, TIME_LIMIT_MS, UNKNOWN)));
  try {
    return await Promise.race([read(input).catch(() => UNKNOWN), limit]);
  } finally {
    clearTimeout(timer);
    // Ends a reading that goes on.
    input.dispose();
    await file.close();
  }
}

function boundedReads(file: FileHandle): CustomSourceOptions {
  let left = MAX_READ_BYTES;
  return {
    getSize: async () => (await file.stat()).size,
    read: async (start, end) => {
      left -= end - start;
      if (left < 0) throw new Error('The file tells too much about itself');
      const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
      return buffer.subarray(0, bytesRead);
    },
    prefetchProfile: 'fileSystem',
    handleUnhandledError: () => undefined,
  };
}

async function read(input: Input): Promise<Played> {
  const track = await input.getPrimaryVideoTrack();
  const width = track && (await track.getDisplayWidth());
  const height = track && (await track.getDisplayHeight());
  const duration = (await input.getDurationFromMetadata()) ?? (await input.computeDuration());
  return { width: whole(sound(width)), height: whole(sound(height)), duration: sound(duration) };
}

/** Pixels need not be square. */
const whole = (side: number | null): number | null => side && Math.round(side);

/** What a file says of itself may be nonsense. */
const sound = (value: number | null): number | null =>
  value !== null && Number.isFinite(value) && value > 0 && value < 2 ** 31 ? value : null;
