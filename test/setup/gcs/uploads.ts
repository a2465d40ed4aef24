import { createHash, randomUUID } from 'node:crypto';
import { CloudFault } from '../kept-objects.js';

/** The server keeps whole multiples of this of what comes before the end. */
const GRAIN = 256 * 1024;

export interface Metadata {
  contentType?: string;
  cacheControl?: string;
  md5Hash?: string;
}

export interface Session {
  key: string;
  metadata: Metadata;
  bytes: Buffer;
  isDone: boolean;
}

/** What came of a piece: so many bytes are kept, or the object is whole. */
export type Progress = { kept: number } | Session;

/** Resumable uploads (cloud.google.com/storage/docs/resumable-uploads). */
export class GcsUploads {
  private readonly sessions = new Map<string, Session>();

  /** Those that neither ended nor were given up. */
  get open(): number {
    return [...this.sessions.values()].filter(({ isDone }) => !isDone).length;
  }

  begin(key: string, metadata: Metadata): string {
    const id = randomUUID();
    this.sessions.set(id, { key, metadata, bytes: Buffer.alloc(0), isDone: false });
    return id;
  }

  /** `range` is `bytes FIRST-LAST/TOTAL`, or with a star for what is not known or not sent. */
  take(id: string, range: string, body: Buffer, hash: string | undefined): Progress {
    const session = this.session(id);
    const [, first, total = '*'] = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(range) ?? [];
    if (!session.isDone && first !== undefined) keep(session, Number(first), body, total !== '*');
    if (total === '*' || session.bytes.length < Number(total)) return { kept: session.bytes.length };
    assertDigest(session.bytes, hash?.replace(/^md5=/, ''));
    session.isDone = true;
    return session;
  }

  giveUp(id: string): void {
    this.session(id);
    this.sessions.delete(id);
  }

  private session(id: string): Session {
    const session = this.sessions.get(id);
    if (!session) throw new CloudFault(404, 'notFound');
    return session;
  }
}

export function assertDigest(bytes: Buffer, digest: string | undefined): void {
  if (digest && createHash('md5').update(bytes).digest('base64') !== digest) throw new CloudFault(400, 'invalid');
}

/** What is kept already is passed over; what would leave a gap is refused. */
function keep(session: Session, first: number, body: Buffer, isLast: boolean): void {
  const kept = session.bytes.length;
  if (first > kept) throw new CloudFault(503, 'backendError');
  const fresh = body.subarray(kept - first);
  const fitting = isLast ? fresh.length : fresh.length - (fresh.length % GRAIN);
  session.bytes = Buffer.concat([session.bytes, fresh.subarray(0, fitting)]);
}
