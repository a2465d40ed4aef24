import type { Environment } from '#libs/config/environment.js';

/** What an account may do. Every limit is configuration (`PLANS`). */
export interface Plan {
  name: string;
  /** v1 and two-step generations a month. */
  monthlyGenerations: number;
  /** v1 and two-step generations at once. */
  maxInFlight: number;
  /** Open generations of the collections face. */
  maxOpenGenerations: number;
  /** The highest priority a submission gets (1–100). */
  maxPriority: number;
  submitsPerMinute: number;
  readsPerMinute: number;
  storageBytes: number;
  /** Payment provider's price ids that mean this plan. */
  priceIds: string[];
}

const FREE: Plan = {
  name: 'free',
  monthlyGenerations: 50,
  maxInFlight: 1,
  maxOpenGenerations: 10_000,
  maxPriority: 100,
  submitsPerMinute: 600,
  readsPerMinute: 6_000,
  storageBytes: 10 * 1024 ** 3,
  priceIds: [],
};

const DEFAULTS: Record<string, Partial<Plan>> = {
  free: {},
  pro: { monthlyGenerations: 2_000, maxInFlight: 10, storageBytes: 200 * 1024 ** 3 },
};

export class Plans {
  private readonly plans = new Map<string, Plan>();

  constructor(environment: Pick<Environment, 'PLANS'>) {
    const configured = (environment.PLANS ?? {}) as Record<string, Partial<Plan>>;
    for (const name of new Set([...Object.keys(DEFAULTS), ...Object.keys(configured)])) {
      this.plans.set(name, { ...FREE, ...DEFAULTS[name], ...configured[name], name });
    }
  }

  /** The account's plan by its price id, else by its name, else `free`. */
  of(account: { plan: string; price_id: string | null }): Plan {
    const byPrice = [...this.plans.values()].find((plan) =>
      account.price_id === null ? false : plan.priceIds.includes(account.price_id),
    );
    return byPrice ?? this.plans.get(account.plan) ?? (this.plans.get('free') as Plan);
  }

  has(name: string): boolean {
    return this.plans.has(name);
  }
}
