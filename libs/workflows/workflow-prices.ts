import type { PriceRange, Pricing } from '#libs/credits/pricing.js';
import { sampleVariables } from './sample-variables.js';
import type { StoredWorkflow } from './stored-workflow.js';

/** Versions whose price is kept. Each takes some hundred bytes. */
const KEPT_PRICES = 10_000;

/** What workflows cost. A version never changes, and its script runs once: a list must not run a hundred. */
export class WorkflowPrices {
  /** By version, the oldest first. */
  private readonly ranges = new Map<string, Promise<PriceRange>>();

  constructor(private readonly pricing: Pick<Pricing, 'priceRange'>) {}

  rangeOf(workflow: StoredWorkflow): Promise<PriceRange> {
    const key = `${workflow.id}:${workflow.version}`;
    const known = this.ranges.get(key);
    if (known) return known;
    const range = this.pricing.priceRange(workflow, sampleVariables(workflow.data));
    this.ranges.set(key, range);
    // A failure of the moment is not kept.
    range.catch(() => this.ranges.delete(key));
    const [oldest] = this.ranges.keys();
    if (this.ranges.size > KEPT_PRICES && oldest) this.ranges.delete(oldest);
    return range;
  }
}
