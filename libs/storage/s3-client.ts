import { AbortMultipartUploadCommand, CreateMultipartUploadCommand, S3Client } from '@aws-sdk/client-s3';
import { MAX_ATTEMPTS, TIME_LIMITS, type TimeLimits } from './time-limits.js';

export interface S3Settings {
  bucket: string;
  /** Absent: Amazon's own, by region. */
  endpoint?: string;
  region?: string;
  /** Absent: found as all AWS programs do, by profile, role of the machine, … */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  timeLimits?: Partial<TimeLimits>;
}

const BOOK_KEEPING = [CreateMultipartUploadCommand, AbortMultipartUploadCommand];
const BOOK_KEEPING_MS = 30_000;

/** A client for Amazon S3 and for all that speak its protocol: MinIO, R2, GCS, … */
export function createS3Client({ endpoint, region, credentials, timeLimits }: S3Settings): S3Client {
  const { connectMs, idleMs, answerMs } = { ...TIME_LIMITS, ...timeLimits };
  return new S3Client({
    endpoint,
    // The others take any region, but the signature must name one.
    region: region ?? (endpoint ? 'us-east-1' : undefined),
    credentials,
    // Own servers have no name per bucket.
    forcePathStyle: endpoint !== undefined,
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: connectMs,
      socketTimeout: idleMs,
      requestTimeout: answerMs,
      throwOnRequestTimeout: true,
    },
    // A server that does not know `Expect` would be waited for.
    expectContinueHeader: false,
    // Bodies are signed with their SHA-256, which every server checks; newer checksums not all of them know.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

/**
 * The client as one upload sees it: its requests end with `signal`. Those that begin and give up an upload in
 * parts have their own time instead, for parts of which nobody knows would be kept, and paid, for ever.
 */
export function endingWith(client: S3Client, signal: AbortSignal | undefined): S3Client {
  const send = (command: Parameters<S3Client['send']>[0]) => {
    const keepsBooks = BOOK_KEEPING.some((Command) => command instanceof Command);
    return client.send(command, { abortSignal: keepsBooks ? AbortSignal.timeout(BOOK_KEEPING_MS) : signal });
  };
  return Object.create(client, { send: { value: send } }) as S3Client;
}
