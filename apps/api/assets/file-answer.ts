import type { IncomingHttpHeaders } from 'node:http';
import type { AssetRow } from '#libs/assets/asset-row.js';
import type { ByteRange } from '#libs/storage/storage.js';
import { parseByteRange } from './byte-range.js';
import { fileHeaders } from './file-headers.js';

export interface FileAnswer {
  status: 200 | 206 | 304 | 416;
  headers: Record<string, string>;
  /** What of the file follows; null: no body. */
  part: ByteRange | 'all' | null;
}

/** What a conditional or partial request for a file gets (RFC 9110, sections 13 and 14). */
export function answerFor(asset: AssetRow, request: IncomingHttpHeaders): FileAnswer {
  const headers = fileHeaders(asset);
  const size = Number(asset.size);
  if (isFresh(request['if-none-match'], headers.etag)) return { status: 304, headers, part: null };
  // With `If-Range` a part is only given of the version that the client has begun with.
  const partial = request['if-range'] === undefined || request['if-range'] === headers.etag;
  const range = partial ? parseByteRange(request.range, size) : null;
  if (range === 'unsatisfiable') {
    return { status: 416, headers: { ...headers, 'content-range': `bytes */${size}` }, part: null };
  }
  if (!range) return { status: 200, headers: { ...headers, 'content-length': String(size) }, part: 'all' };
  const { start, end } = range;
  const place = { 'content-range': `bytes ${start}-${end}/${size}`, 'content-length': `${end - start + 1}` };
  return { status: 206, headers: { ...headers, ...place }, part: range };
}

function isFresh(condition: string | undefined, etag: string | undefined): boolean {
  const known = condition?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return known.includes('*') || (etag !== undefined && known.includes(etag));
}
