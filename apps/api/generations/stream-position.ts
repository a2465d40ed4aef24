import { validate } from 'uuid';
import type { LogPosition } from '#libs/events/event-log.js';

/** `id:` of a stream of several jobs. Opaque to clients. */
export const encodePosition = ({ txid, jobId, seq }: LogPosition): string =>
  Buffer.from(`${txid}.${jobId}.${seq}`).toString('base64url');

/** The position of a `Last-Event-ID`; null when it is none of ours. */
export function decodePosition(id: string | undefined): LogPosition | null {
  if (id === undefined || id.length > 200) return null;
  const [txid = '', jobId = '', seq = '', ...rest] = Buffer.from(id, 'base64url').toString().split('.');
  const isOurs = rest.length === 0 && /^\d{1,18}$/.test(txid) && validate(jobId) && /^\d{1,15}$/.test(seq);
  return isOurs ? { txid, jobId, seq: Number(seq) } : null;
}

/** The event number of a `Last-Event-ID` of one job's stream; null when it cannot be one of this job. */
export function decodeSeq(id: string | undefined, newest: number): number | null {
  if (id === undefined || !/^\d{1,15}$/.test(id)) return null;
  const seq = Number(id);
  return seq <= newest ? seq : null;
}
