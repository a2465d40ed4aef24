import type { CDPSession } from 'playwright-core';
import { SketchError, type SketchImage, type SketchRun } from '#libs/sandbox/sketch-renderer.js';

const SLICE = 12_000_000;
/** JSON of 100 features and 100 lines, every character escaped, is shorter. */
const MAX_REPORT = 4_000_000;
const MAX_PIXELS = 40_000_000;
/** 40 megapixels that do not compress. */
const MAX_IMAGE = 180_000_000;
const MAX_FEATURES = 100;
const MAX_FEATURE_LENGTH = 1_000;
const MAX_LINES = 100;
const MAX_LINE_LENGTH = 2_000;
/** The page cuts a video into pieces of 256 KiB. */
const MAX_PIECE = 400_000;
const PIECE = /^(\d{1,6}) (\d{1,12}) ([A-Za-z0-9+/]*={0,2})$/;

type Fault = 'error' | 'no_canvas' | 'browser';
type Features = SketchImage['features'];

/** How a sketch ended in its page, by its own words: every member is checked here, as the page may be its own. */
export interface PageReport extends Pick<SketchImage, 'width' | 'height' | 'features' | 'logs'> {
  fault?: Fault;
  message: string;
}

/** A piece of a video, and where it belongs. Pieces may overlay others. */
export interface VideoPiece {
  /** Pictures that are in so far. */
  frames: number;
  position: number;
  bytes: Buffer;
}

/**
 * Reads what the page keeps for us. It asks for numbers, short texts and pieces of files only: one message of the
 * browser that is longer than a string may be would end this process.
 */
export class PageAnswers {
  private constructor(
    private readonly session: CDPSession,
    private readonly objectId: string,
  ) {}

  static async find(session: CDPSession): Promise<PageAnswers> {
    const { result } = await session.send('Runtime.evaluate', { expression: 'platen' });
    return new PageAnswers(session, result.objectId ?? '');
  }

  /** Resolves when the sketch has ended. */
  async ended(): Promise<void> {
    await this.ask('function () { return this.outcome; }');
  }

  async report(): Promise<PageReport> {
    return reportOf(await this.text('report', MAX_REPORT));
  }

  /** The console so far. */
  async logs(): Promise<string[]> {
    await this.ask('function () { this.lines = this.console(); }');
    return reportOf(await this.text('lines', MAX_REPORT)).logs;
  }

  /** The bytes of the canvas. Throws SketchError when they are not of the format asked for. */
  async image(format: SketchRun['format'], logs: string[]): Promise<Buffer> {
    const functionDeclaration = 'function () { return this.image; }';
    const { objectId } = this;
    const { result } = await this.session.send('Runtime.callFunctionOn', { objectId, functionDeclaration });
    const bytes = result.objectId ? await this.blob(result.objectId) : Buffer.alloc(0);
    if (!MAGIC[format](bytes)) throw new SketchError('error', `The canvas could not be saved as ${format}`, true, logs);
    return bytes;
  }

  /** Resolves when there is more of the video, or more pictures are in; null after the last piece. */
  async videoPiece(): Promise<VideoPiece | null> {
    const text = await this.ask('function () { return this.nextPiece(); }');
    if (text === '') return null;
    const found = typeof text === 'string' && text.length <= MAX_PIECE ? PIECE.exec(text) : null;
    if (!found) throw new SketchError('error', 'The page of the sketch gave no video', true);
    const [, frames, position, base64 = ''] = found;
    return { frames: Number(frames), position: Number(position), bytes: Buffer.from(base64, 'base64') };
  }

  /** Its bytes, read from the browser beside the page; none of one that is larger than an image can be. */
  private async blob(objectId: string): Promise<Buffer> {
    const { uuid } = await this.session.send('IO.resolveBlob', { objectId });
    const handle = `blob:${uuid}`;
    const pieces: Buffer[] = [];
    let length = 0;
    for (let eof = false; !eof && length <= MAX_IMAGE; ) {
      const piece = await this.session.send('IO.read', { handle, size: SLICE });
      pieces.push(Buffer.from(piece.data, piece.base64Encoded ? 'base64' : 'utf8'));
      length += pieces.at(-1)?.length ?? 0;
      eof = piece.eof;
    }
    await this.session.send('IO.close', { handle });
    return length > MAX_IMAGE ? Buffer.alloc(0) : Buffer.concat(pieces);
  }

  /** Empty when it is longer, whatever the page says of it. */
  private async text(of: string, max: number): Promise<string> {
    const length = await this.ask(`function () { return typeof this.${of} === 'string' ? this.${of}.length : 0; }`);
    if (typeof length !== 'number' || length > max) return '';
    const text = await this.ask(`function () { return this.part('${of}', ${length}); }`);
    return typeof text === 'string' && text.length <= length ? text : '';
  }

  private async ask(functionDeclaration: string): Promise<unknown> {
    const { objectId } = this;
    const options = { objectId, functionDeclaration, returnByValue: true, awaitPromise: true };
    const { result, exceptionDetails } = await this.session.send('Runtime.callFunctionOn', options);
    if (exceptionDetails) throw new Error('The page did not answer');
    return result.value;
  }
}

const MAGIC: Record<SketchRun['format'], (bytes: Buffer) => boolean> = {
  png: (bytes) => bytes.toString('latin1', 0, 8) === '\x89PNG\r\n\x1a\n',
  jpeg: (bytes) => bytes.toString('latin1', 0, 3) === '\xff\xd8\xff',
  webp: (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
};

function reportOf(text: string): PageReport {
  const given = parsed(text);
  const { width, height } = given;
  const report = { features: featuresOf(given.features), logs: linesOf(given.logs), message: lineOf(given.message) };
  const fault = FAULTS.find((known) => known === given.fault);
  if (fault) return { ...report, width: 0, height: 0, fault };
  if (isSide(width) && isSide(height) && width * height <= MAX_PIXELS) return { ...report, width, height };
  return { ...report, width: 0, height: 0, fault: 'error', message: 'The page of the sketch gave no answer' };
}

const FAULTS: Fault[] = ['error', 'no_canvas', 'browser'];

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

const isSide = (side: unknown): side is number => Number.isInteger(side) && Number(side) > 0;

const lineOf = (line: unknown): string => String(line ?? '').slice(0, MAX_LINE_LENGTH);
const linesOf = (lines: unknown): string[] => (Array.isArray(lines) ? lines.slice(-MAX_LINES).map(lineOf) : []);

const featuresOf = (features: unknown): Features =>
  Object.fromEntries(
    Object.entries(features ?? {})
      .slice(0, MAX_FEATURES)
      .filter(([, value]) => value !== null && (typeof value !== 'number' || Number.isFinite(value)))
      .map(([name, value]) => [name.slice(0, MAX_FEATURE_LENGTH), featureOf(value)]),
  );

function featureOf(value: unknown): Features[string] {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, MAX_FEATURE_LENGTH);
}
