import type { FileUrls } from '#libs/assets/file-urls.js';
import { presentEvent } from '#libs/generations/job-view.js';
import { signatureOf } from '#libs/providers/standard-webhooks.js';
import type { DueDelivery } from './delivery.js';

/** A request's headers and the bytes that they vouch for. */
export interface SignedMessage {
  headers: Record<string, string>;
  body: string;
}

/**
 * A delivery as Standard Webhooks has it. Its time and signatures are of this attempt; each of `secrets` signs, so
 * that a receiver who knows any of them can verify it.
 * Source: standard-webhooks/spec/standard-webhooks.md.
 */
export function signedMessage(
  { id, event, job }: DueDelivery,
  secrets: readonly string[],
  urls: FileUrls,
  now: number = Date.now(),
): SignedMessage {
  const message = { type: event.type, timestamp: event.at, data: { ...presentEvent(event, urls), ...job } };
  const body = JSON.stringify(message);
  return { body, headers: { 'content-type': 'application/json', ...signatureHeaders(id, body, secrets, now) } };
}

/** `now` in milliseconds. */
export function signatureHeaders(
  id: string,
  body: string,
  secrets: readonly string[],
  now: number,
): Record<string, string> {
  const timestamp = String(Math.floor(now / 1_000));
  const signatures = secrets.map((secret) => signatureOf(secret, id, timestamp, Buffer.from(body)).toString('base64'));
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.map((signature) => `v1,${signature}`).join(' '),
  };
}
