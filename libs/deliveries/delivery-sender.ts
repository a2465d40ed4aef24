import type { Readable } from 'node:stream';
import type { FileUrls } from '#libs/assets/file-urls.js';
import type { OutboundAnswer, OutboundClient } from '#libs/outbound/outbound-client.js';
import { OutboundError } from '#libs/outbound/outbound-error.js';
import { retryAfterMs } from '#libs/outbound/retry-after.js';
import type { DeliveryOutcome, DueDelivery } from './delivery.js';
import { signedMessage } from './signed-message.js';
import type { WebhookSecrets } from './webhook-secrets.js';

/** For an attempt as a whole, as Standard Webhooks advises. */
const ATTEMPT_MS = 15_000;
/** Read of an answer, so that its connection can be used again. Its status is all that counts. */
const READ_BYTES = 16 * 1024;

/** Makes one attempt: a POST to a public address, signed anew. A redirect is an answer like another. */
export class DeliverySender {
  constructor(
    private readonly outbound: OutboundClient,
    private readonly secrets: WebhookSecrets,
    private readonly urls: FileUrls,
    private readonly attemptMs = ATTEMPT_MS,
  ) {}

  /** Whatever the endpoint does is an outcome. Throws the signal's reason, and what is our own fault. */
  async send(delivery: DueDelivery, signal: AbortSignal): Promise<DeliveryOutcome> {
    const { headers, body } = signedMessage(delivery, await this.secrets.signing(delivery.userId), this.urls);
    try {
      const answer = await this.outbound.request(delivery.url, {
        method: 'POST', headers, body, signal,
        totalMs: this.attemptMs,
        headersMs: this.attemptMs,
        maxBytes: Number.MAX_SAFE_INTEGER,
      });
      await readAway(answer.body);
      return outcomeOf(answer);
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      return { status: null, error: error.message, permanent: error.reason === 'url' };
    }
  }
}

function outcomeOf({ status, headers }: OutboundAnswer): DeliveryOutcome {
  if (status >= 200 && status < 300) return { status, error: null };
  const isRedirect = status >= 300 && status < 400;
  return {
    status,
    error: isRedirect ? 'The address redirects, which is not followed' : `The address answered with status ${status}`,
    retryAfterMs: retryAfterMs(headers['retry-after']),
  };
}

/** A long answer ends here; one that breaks off was an answer all the same. */
async function readAway(body: Readable): Promise<void> {
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > READ_BYTES) return;
    }
  } catch {
    // Its status has been told.
  }
}
