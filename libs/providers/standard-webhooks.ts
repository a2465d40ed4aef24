import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** How far a webhook's time may be from ours, in seconds. */
const TOLERANCE_SECONDS = 300;
const SECRET_PREFIX = 'whsec_';

/**
 * Verifies a webhook signed as Standard Webhooks (HMAC, `v1`) by its raw body. Returns its id, which is the same
 * for each repeat; null: it is not genuine, or its time is more than five minutes away.
 * Source: standard-webhooks/spec/standard-webhooks.md.
 */
export function verifiedWebhookId(
  secret: string,
  headers: IncomingHttpHeaders,
  rawBody: Buffer,
  now: number = Date.now(),
): string | null {
  const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((name) => headers[`webhook-${name}`]);
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string') return null;
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) return null;
  const expected = signatureOf(secret, id, timestamp, rawBody);
  const isGenuine = signatures.split(' ').some((signature) => {
    const [version, value = ''] = signature.split(',', 2);
    return version === 'v1' && areEqual(Buffer.from(value, 'base64'), expected);
  });
  return isGenuine ? id : null;
}

/** The signature's bytes. A secret is base64, with or without its `whsec_`. */
export const signatureOf = (secret: string, id: string, timestamp: string, rawBody: Buffer): Buffer =>
  createHmac('sha256', Buffer.from(secret.replace(SECRET_PREFIX, ''), 'base64'))
    .update(`${id}.${timestamp}.`)
    .update(rawBody)
    .digest();

const areEqual = (given: Buffer, expected: Buffer): boolean =>
  given.length === expected.length && timingSafeEqual(given, expected);
