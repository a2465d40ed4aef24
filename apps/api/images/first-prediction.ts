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
/** Twins wait this much longer than the first, whose answer may be kept at the last moment. */
const GRACE_MS = 1_000;
const ENDED = new Set(['succeeded', 'failed', 'canceled']);

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
      this.waiter.until({ jobId: id, seconds: this.waitSeconds, signal, isReached: async () => isKnown(await this.view(caller, id)) }),
    );
    const view = await this.view(caller, id);
    if (view.status === 'failed') {
      await this.idempotency.amend(request, caller, null);
      throw upstreamError();
    }
    // Nothing new to tell: the text of the commit is what twins have been given meanwhile.
    if (!isKnown(view)) return answer;
    const told = new Answer(answer.status, JSON.stringify(successEnvelope(view)));
    await this.idempotency.amend(request, caller, told);
    return told;
  }

  /** A twin that came while the first call was still waiting gets the very text that the first one gets. */
  private async replayed(request: FastifyRequest, caller: Caller, answer: Answer): Promise<Answer> {
    const { id, createdAt } = answer.data<V1View>();
    const until = Date.parse(createdAt) + this.waitSeconds * 1_000 + GRACE_MS;
    let kept = answer;
    while (!isKnown(kept.data<V1View>()) && Date.now() < until) {
      await delay(LOOK_EVERY_MS);
      const found = await this.idempotency.kept(request, caller);
      // The first one failed and freed the key, which another request may have taken since.
      if (found?.data<V1View>().id !== id) throw upstreamError();
      kept = found;
    }
    return kept;
  }

  private async view(caller: Caller, id: string): Promise<V1View> {
    return presentV1(await this.images.find('v1', caller.userId, id), this.urls);
  }
}

const isKnown = ({ predictionId, status }: V1View): boolean => predictionId !== null || ENDED.has(status);
