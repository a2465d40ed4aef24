import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { AssetUpload, IncomingFile } from '#libs/assets/asset-uploads.js';
import { AppError } from '#libs/errors/app-error.js';
import { fieldError, unsupportedMediaType } from '#libs/errors/errors.js';

/** The spool stops a file that is too large, with its own message. */
const LIMITS = { fileSize: Infinity, files: 2, fields: 1, fieldSize: 1_024, headerPairs: 20 };

const DROP_LIMIT_MS = 5_000;

/**
 * The one file of a multipart form, streamed to `receive` while it arrives. Throws `VALIDATION_ERROR` for
 * a form that is malformed, has no file, a second one or other fields; what was received is then closed.
 */
export async function readUpload(
  request: FastifyRequest,
  receive: (file: IncomingFile) => Promise<AssetUpload>,
): Promise<AssetUpload> {
  if (!request.isMultipart()) throw unsupportedMediaType('Send the file as multipart/form-data');
  let upload: AssetUpload | undefined;
  try {
    for await (const part of request.parts({ limits: LIMITS })) {
      if (part.type === 'field') throw fieldError(part.fieldname, 'is not a known field');
      if (upload) throw fieldError(part.fieldname, 'only one file is taken at a time');
      upload = await receive({ name: part.filename ?? '', mimeType: part.mimetype, bytes: part.file });
    }
  } catch (error) {
    await upload?.close();
    dropRest(request.raw);
    throw faultOf(error);
  }
  return upload ?? missing();
}

/**
 * What is left of the body is read and dropped, so that the client, which may write before it reads, gets to
 * see the answer; but not for as long as it likes.
 */
export function dropRest(body: IncomingMessage): void {
  const limit = setTimeout(() => body.destroy(), DROP_LIMIT_MS).unref();
  body.once('close', () => clearTimeout(limit)).resume();
}

const missing = (): never => {
  throw fieldError('file', 'is required');
};

/** A failure of the disk has a system call; all else is a form, or a connection, that broke off. */
export const faultOf = (error: unknown): unknown =>
  error instanceof AppError || (error as NodeJS.ErrnoException).syscall
    ? error
    : fieldError('body', 'is not a valid multipart form');
