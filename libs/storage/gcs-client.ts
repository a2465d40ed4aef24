import { CloudRequests, type CloudAnswer, type CloudRequest } from './cloud-requests.js';
import { GcsAccess, type GcsSettings } from './gcs-access.js';
import type { TimeLimits } from './time-limits.js';

/** A refusal. */
export class GcsError extends Error {
  readonly status: number;

  constructor({ status, text }: CloudAnswer) {
    super(`Google Cloud Storage answered ${status}: ${text.slice(0, 300)}`);
    this.name = 'GcsError';
    this.status = status;
  }
}

export interface GcsCall extends Pick<CloudRequest, 'method' | 'body' | 'signal' | 'isStreamed'> {
  path: string;
  query?: Record<string, string | undefined>;
  headers?: Record<string, string>;
}

/**
 * The JSON API of one bucket (cloud.google.com/storage/docs/json_api), with tokens from Google's own library. Not by
 * `@google-cloud/storage`, which knows neither abort signals nor an end of waiting for a server that is silent.
 */
export class GcsClient {
  readonly requests: CloudRequests;
  readonly access: GcsAccess;
  readonly bucket: string;

  constructor({ timeLimits, ...settings }: GcsSettings & { timeLimits?: Partial<TimeLimits> }) {
    this.requests = new CloudRequests(timeLimits);
    this.access = new GcsAccess(settings);
    this.bucket = `/storage/v1/b/${encodeURIComponent(settings.bucket)}`;
  }

  get uploads(): string {
    return `/upload${this.bucket}/o`;
  }

  object(key: string): string {
    return `${this.bucket}/o/${encodeURIComponent(key)}`;
  }

  /** Throws `GcsError` for what is no success. */
  async call({ method, path, query = {}, headers, body, signal, isStreamed }: GcsCall): Promise<CloudAnswer> {
    const url = new URL(path, this.access.origin);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const answer = await this.requests.send({
      method, url: url.href, headers: { ...(await this.access.headers()), ...headers }, body, signal, isStreamed,
    });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw new GcsError(answer);
  }
}
