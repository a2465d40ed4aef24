import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import { FileUrls } from '#libs/assets/file-urls.js';
import { upstreamError } from '#libs/errors/errors.js';
import { ImageGenerations } from '#libs/image-generations/image-generations.js';
import { presentV1, type V1View } from '#libs/image-generations/v1-view.js';
import { JobWaiter } from '#libs/generations/job-waiter.js';
import { whileConnected } from '../generations/held-answers.js';
import { Answer, successEnvelope } from '../http/envelope.js';
import { Idempotency } from '../http/idempotency.js';
import type { Caller } from '../http/policy.js';

const LOOK_EVERY_MS = 50;

/** The 202 of the v1 face waits a while for the prediction to exist, or to be refused. */
export class FirstPrediction {
  constructor(
    private readonly waiter: JobWaiter,
    private readonly images: ImageGenerations,
    private readonly urls: FileUrls,
    private readonly idempotency: Idempotency,
    private readonly waitSeconds: number,
  ) {}

  /** Throws `UPSTREAM_ERROR` when the provider refused it: then the key of the request is free again. */
  async answer(request: FastifyRequest, caller: Caller, answer: Answer): Promise<Answer> {
    if (answer.replayed) return this.replayed(request, caller, answer);
    const { id } = answer.data<V1View>();
    await whileConnected(request, (signal) =>
      this.waiter.until({ jobId: id, seconds: this.waitSeconds, signal, isReached: () => this.isKnown(caller, id) }),
    );
    const view = await this.view(caller, id);
    if (view.status === 'failed') {
      await this.idempotency.amend(request, caller, null);
      throw upstreamError();
    }
    const told = new Answer(answer.status, JSON.stringify(successEnvelope(view)));
    await this.idempotency.amend(request, caller, told);
    return told;
  }

  private async isKnown(caller: Caller, id: string): Promise<boolean> {
    const { predictionId, status } = await this.view(caller, id);
    return predictionId !== null || ['succeeded', 'failed', 'canceled'].includes(status);
  }

  /** A twin that came while the first call was still waiting gets the very text that the first one gets. */
  private async replayed(request: FastifyRequest, caller: Caller, answer: Answer): Promise<Answer> {
    const { createdAt } = answer.data<V1View>();
    let kept: Answer | null = answer;
    while (kept?.data<V1View>().predictionId === null && Date.now() < Date.parse(createdAt) + this.waitSeconds * 1_000) {
      await delay(LOOK_EVERY_MS);
      kept = await this.idempotency.kept(request, caller);
    }
    if (!kept) throw upstreamError();
    return kept;
  }

  private async view(caller: Caller, id: string): Promise<V1View> {
    return presentV1(await this.images.find('v1', caller.userId, id), this.urls);
  }
}
