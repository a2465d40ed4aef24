import { randomBytes } from 'node:crypto';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { Asked, ReplicateDials } from './dials.js';

interface Kept extends Asked {
  version: string;
  createdAt: number;
  deadline: number | null;
  canceledAt: number | null;
  webhook: string | null;
}

const ENDS = ['succeeded', 'failed', 'canceled', 'aborted'];

/** The predictions of the stand-in. Where each is follows from the clock alone, so that many cost nothing. */
export class Predictions {
  private readonly kept = new Map<string, Kept>();
  /** Newest first, for the list. */
  private readonly newest: Kept[] = [];

  constructor(
    private readonly dials: ReplicateDials,
    private readonly api: () => string,
    private readonly delivery: () => string,
  ) {}

  get size(): number {
    return this.kept.size;
  }

  create(asked: Omit<Asked, 'id'> & { version: string; webhook: string | null; lifetimeMs: number | null }): string {
    const id = randomBytes(13).toString('hex');
    const createdAt = Date.now();
    const { lifetimeMs, ...rest } = asked;
    const prediction = { ...rest, id, createdAt, deadline: lifetimeMs && createdAt + lifetimeMs, canceledAt: null };
    this.kept.set(id, prediction);
    this.newest.unshift(prediction);
    return id;
  }

  cancel(id: string): void {
    const prediction = this.kept.get(id);
    if (prediction && !this.hasEnded(id)) prediction.canceledAt = Date.now();
  }

  webhookOf(id: string): string | null {
    return this.kept.get(id)?.webhook ?? null;
  }

  hasEnded(id: string): boolean {
    return ENDS.includes(this.stateOf(this.kept.get(id) as Kept));
  }

  ids(): string[] {
    return this.newest.map(({ id }) => id);
  }

  page(from: number, size: number): Json[] {
    return this.newest.slice(from, from + size).map(({ id }) => this.show(id) as Json);
  }

  /** As the API shows it; undefined: there is none. */
  show(id: string): JsonObject | undefined {
    const prediction = this.kept.get(id);
    if (!prediction) return undefined;
    const { model, version, input, createdAt } = prediction;
    const status = this.stateOf(prediction);
    const hasEnded = ENDS.includes(status);
    const { removesOutput } = this.dials;
    return {
      id, model, version, input, status,
      output: status === 'succeeded' && !removesOutput ? this.outputOf(prediction) : null,
      error: status === 'failed' ? 'CUDA error on gpu-17.internal: secret detail' : null,
      logs: status === 'starting' ? '' : 'Seed: 1\n 45%|████▌     | 9/20 [00:01<00:02]',
      source: 'api',
      data_removed: status === 'succeeded' && removesOutput,
      created_at: new Date(createdAt).toISOString(),
      started_at: status === 'starting' ? null : new Date(createdAt + this.dials.startMs).toISOString(),
      completed_at: hasEnded ? new Date().toISOString() : null,
      metrics: {},
      urls: { get: `${this.api()}/predictions/${id}`, cancel: `${this.api()}/predictions/${id}/cancel` },
      ...this.marksOf(prediction),
    };
  }

  private marksOf({ deadline, webhook }: Kept): JsonObject {
    const { showsDeadline, showsWebhook } = this.dials;
    return {
      ...(showsDeadline && deadline !== null && { deadline: new Date(deadline).toISOString() }),
      ...(showsWebhook && webhook !== null && { webhook }),
    };
  }

  private stateOf(prediction: Kept): string {
    const { startMs, runMs, end } = this.dials;
    if (prediction.canceledAt !== null) return 'canceled';
    const age = Date.now() - prediction.createdAt;
    if (age < startMs) return 'starting';
    return age < startMs + runMs ? 'processing' : end(prediction);
  }

  private outputOf(prediction: Kept): Json {
    return this.dials.output(prediction, {
      delivered: (index) => `${this.delivery()}/${prediction.id}/out-${index}.png`,
      guarded: (index) => `${this.api()}/files/${prediction.id}-${index}/download`,
    });
  }
}
