import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { signatureOf } from '#libs/providers/standard-webhooks.js';
import type { Asked, ReplicateDials, Report } from './dials.js';
import type { Predictions } from './predictions.js';

const LOOK_MS = 25;
const PATIENCE_MS = 20_000;

/** A webhook that was sent, and the status it was answered with; null: there was no answer. */
export interface SentReport extends Report {
  prediction: string;
  status: number | null;
}

/** What the stand-in reports of its predictions: the prediction itself is the body. */
export class Webhooks {
  readonly sent: SentReport[] = [];
  private readonly closing = new AbortController();

  constructor(
    private readonly dials: ReplicateDials,
    private readonly predictions: Predictions,
  ) {
    // Every report that is on its way listens.
    setMaxListeners(0, this.closing.signal);
  }

  /** Reports of a prediction that has just been begun. */
  begin(asked: Asked, url: string): void {
    const { reports } = this.dials;
    const going = reports
      ? reports(asked).map((report) => this.sendLater(asked.id, url, report))
      : [this.sendAtEnd(asked.id, url)];
    for (const each of going) each.catch(() => undefined);
  }

  close(): void {
    this.closing.abort();
  }

  /** All copies carry the same id. */
  private async sendAtEnd(prediction: string, url: string): Promise<void> {
    while (!this.predictions.hasEnded(prediction)) await this.pause(LOOK_MS);
    const report = { afterMs: 0, id: `msg_${randomUUID()}` };
    for (let copy = 0; copy < this.dials.webhookCopies; copy++) await this.send(prediction, url, report);
  }

  private async sendLater(prediction: string, url: string, report: Report): Promise<void> {
    await this.pause(report.afterMs);
    await this.send(prediction, url, report);
  }

  private async send(prediction: string, url: string, report: Report): Promise<void> {
    const { id, says, ageSeconds = 0, secret = this.dials.webhookSecret } = report;
    const body = JSON.stringify({ ...this.predictions.show(prediction), ...(says !== undefined && { status: says }) });
    const timestamp = String(Math.floor(Date.now() / 1_000) - ageSeconds);
    const signature = signatureOf(secret, id, timestamp, Buffer.from(body)).toString('base64');
    const headers = {
      'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    };
    const signal = AbortSignal.any([this.closing.signal, AbortSignal.timeout(PATIENCE_MS)]);
    const answer = await fetch(url, { method: 'POST', headers, body, signal }).catch(() => null);
    await answer?.arrayBuffer().catch(() => undefined);
    this.sent.push({ ...report, prediction, status: answer?.status ?? null });
  }

  private pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.closing.signal });
  }
}
