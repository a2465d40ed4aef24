import { Readable } from 'node:stream';
import { ResumingDownload } from '#libs/storage/resuming-download.js';
import type { OutputFile } from './prompt-outputs.js';
import type { ServerHttp } from './server-http.js';

/** The bytes of a file on a server. Asked for when they are read; a download that is cut goes on where it was. */
export const downloadOf = (http: ServerHttp, prefix: () => Promise<string>, file: OutputFile): Readable =>
  Readable.from(bytesOf(http, prefix, `/view?${new URLSearchParams({ ...file }).toString()}`), { objectMode: false });

async function* bytesOf(http: ServerHttp, prefix: () => Promise<string>, route: string): AsyncGenerator<Buffer> {
  const path = (await prefix()) + route;
  const { status, length, body } = await http.open(path);
  if (status !== 200) {
    body.on('error', () => undefined).destroy();
    throw http.unreachable(`an output file was answered with status ${status}`);
  }
  yield* length === null ? body : new ResumingDownload({ first: body, length, resume: (from) => rest(http, path, from) });
}

async function rest(http: ServerHttp, path: string, from: number): Promise<Readable> {
  const { status, body } = await http.open(path, from);
  if (status === (from > 0 ? 206 : 200)) return body;
  body.on('error', () => undefined).destroy();
  throw http.unreachable(`the rest of an output file was answered with status ${status}`);
}
