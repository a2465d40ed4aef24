/** A video that lies elsewhere, of which only what is needed is read. */
export interface VideoBytes {
  size: number;
  /** The bytes from `start` up to `end`, which is not included. */
  read(start: number, end: number): Promise<Uint8Array>;
}

/** The video gave no frame. `permanent` is false when the browser died under it, so that another try may help. */
export class VideoError extends Error {
  constructor(
    message: string,
    readonly permanent: boolean,
  ) {
    super(message);
    this.name = 'VideoError';
  }
}

/** Decodes frames of strangers' videos. */
export abstract class VideoFrames {
  /** The first frame as PNG, no side of it longer than `maxSide`. Throws `VideoError`, or the signal's reason. */
  abstract first(video: VideoBytes, options: { maxSide: number; signal: AbortSignal }): Promise<Uint8Array>;
  abstract close(): Promise<void>;
}
