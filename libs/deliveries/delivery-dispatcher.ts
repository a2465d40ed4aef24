import type { BusMessage, EventBus } from '#libs/events/event-bus.js';
import { signals } from '#libs/tracepoints/signals.js';
import type { DeliveryOutcome, DueDelivery } from './delivery.js';
import type { DeliveryRows } from './delivery-rows.js';
import type { DeliverySender } from './delivery-sender.js';
import { judgeDelivery } from './delivery-verdict.js';
import { Occupancy } from './occupancy.js';

export interface DispatcherLimits {
  /** Attempts of this process at once. */
  inFlight: number;
  /** Of these to one host, and of one user: a slow endpoint holds up no others. */
  perHost: number;
  perUser: number;
}

const LIMITS: DispatcherLimits = { inFlight: 32, perHost: 4, perUser: 8 };
/** After the first event of a burst; with nothing to tell, a look is one short query. */
const WAKE_MS = 250;
/** Full batches in one look: the next one goes on. */
const BATCHES = 20;
/** At the end of the process, for attempts that run. What is broken off is sent again by another one. */
const GRACE_MS = 5_000;

/**
 * Sends what jobs have to tell, beside their road: events become deliveries, deliveries are claimed one by one and
 * sent side by side. At least once: a delivery whose attempt was not recorded is sent again, under the same id.
 */
export class DeliveryDispatcher {
  private readonly running = new Set<Promise<void>>();
  private readonly occupancy: Occupancy;
  private readonly end = new AbortController();
  private looking: Promise<void> | null = null;
  /** The last of those that claim: one after the other, so that none overlooks a place that was given back meanwhile. */
  private filling: Promise<void> = Promise.resolve();
  private waking: NodeJS.Timeout | null = null;
  private unsubscribe = () => {};
  private resting = false;

  constructor(
    private readonly rows: DeliveryRows,
    private readonly sender: DeliverySender,
    private readonly onError: (error: unknown) => void,
    private readonly limits: DispatcherLimits = LIMITS,
  ) {
    this.occupancy = new Occupancy(limits);
  }

  /** From here on a look follows soon after an event, and not only with the next sweep. */
  listen(bus: EventBus): void {
    this.unsubscribe = bus.subscribe((message) => this.hear(message));
  }

  /** Makes the deliveries of new events and begins those that are due, as many as there is room for. */
  sweep(): Promise<void> {
    this.looking ??= this.look().finally(() => (this.looking = null));
    return this.looking;
  }

  /** Begins no more. Resolves when every attempt has been recorded or broken off. */
  async stop(): Promise<void> {
    this.resting = true;
    this.unsubscribe();
    clearTimeout(this.waking ?? undefined);
    const timer = setTimeout(() => this.end.abort(new Error('The process ends')), GRACE_MS);
    await Promise.allSettled([this.looking, this.filling]);
    await Promise.all(this.running);
    clearTimeout(timer);
  }

  private async look(): Promise<void> {
    for (let batch = 0; batch < BATCHES && (await this.rows.arise()); batch++);
    await this.fill();
  }

  private hear({ kind }: BusMessage): void {
    if (kind !== 'events' || this.waking || this.resting) return;
    this.waking = setTimeout(() => {
      this.waking = null;
      this.sweep().catch(this.onError);
    }, WAKE_MS);
  }

  private fill(): Promise<void> {
    const filled = this.filling.then(() => this.claimAll());
    this.filling = filled.catch(() => undefined);
    return filled;
  }

  private async claimAll(): Promise<void> {
    while (!this.resting && this.running.size < this.limits.inFlight) {
      const delivery = await this.rows.claim(this.occupancy.full());
      if (!delivery) return;
      this.begin(delivery);
    }
  }

  private begin(delivery: DueDelivery): void {
    const release = this.occupancy.take(delivery);
    const attempt = this.attempt(delivery).finally(() => {
      release();
      this.running.delete(attempt);
      if (!this.resting) this.fill().catch(this.onError);
    });
    this.running.add(attempt);
  }

  /** Never throws: what is not recorded is sent again when its lease has run out. */
  private async attempt(delivery: DueDelivery): Promise<void> {
    try {
      const outcome = await this.sender.send(delivery, this.end.signal).catch((error: unknown) => this.ownFault(error));
      if (outcome) await this.settle(delivery, outcome);
    } catch (error) {
      this.onError(error);
    }
  }

  private async settle(delivery: DueDelivery, outcome: DeliveryOutcome): Promise<void> {
    const verdict = judgeDelivery(outcome, delivery.tries);
    await this.rows.settle(delivery, outcome, verdict);
    signals.delivered.send({ status: verdict.status });
  }

  /** No more is told of it than that it was ours. Null: the process ends. */
  private ownFault(error: unknown): DeliveryOutcome | null {
    if (this.end.signal.aborted) return null;
    this.onError(error);
    return { status: null, error: 'It could not be sent' };
  }
}
