import type { Plan, Plans } from '#libs/credits/plans.js';
import type { Database } from '#libs/database/database.js';

const REMEMBERED = 10_000;
const REMEMBERED_FOR_MS = 30_000;

interface Remembered {
  plan: Promise<Plan>;
  until: number;
}

/** Makes the account row when a user is seen for the first time, and remembers plans for a short while. */
export class Accounts {
  private readonly remembered = new Map<string, Remembered>();

  constructor(
    private readonly database: Database,
    private readonly plans: Plans,
  ) {}

  /** The user's plan. The account exists from here on. */
  planOf(userId: string): Promise<Plan> {
    const known = this.remembered.get(userId);
    if (known && known.until > Date.now()) return known.plan;
    const plan = this.open(userId);
    this.remember(userId, plan);
    return plan;
  }

  /** The limits of callers without an account. */
  anonymousPlan(): Plan {
    return this.plans.of({ plan: 'free', price_id: null });
  }

  /** Sets what is paid for, by the plan's name or by a payment provider's price id. */
  async setPlan(userId: string, { plan, priceId }: { plan?: string; priceId?: string }): Promise<Plan> {
    const [account] = await this.database.query<{ plan: string; price_id: string | null }>(
      `insert into account (user_id, plan, price_id) values ($1, coalesce($2, 'free'), $3)
       on conflict (user_id) do update set plan = coalesce($2, account.plan), price_id = $3
       returning plan, price_id`,
      [userId, plan ?? null, priceId ?? null],
    );
    this.remembered.delete(userId);
    return this.plans.of(account ?? { plan: 'free', price_id: null });
  }

  private async open(userId: string): Promise<Plan> {
    const find = () =>
      this.database.query<{ plan: string; price_id: string | null }>(
        'select plan, price_id from account where user_id = $1',
        [userId],
      );
    let [account] = await find();
    if (!account) {
      await this.database.query('insert into account (user_id) values ($1) on conflict do nothing', [userId]);
      [account] = await find();
    }
    return this.plans.of(account ?? { plan: 'free', price_id: null });
  }

  private remember(userId: string, plan: Promise<Plan>): void {
    this.remembered.delete(userId);
    this.remembered.set(userId, { plan, until: Date.now() + REMEMBERED_FOR_MS });
    plan.catch(() => this.remembered.delete(userId));
    const oldest = this.remembered.keys().next().value;
    if (this.remembered.size > REMEMBERED && oldest !== undefined) this.remembered.delete(oldest);
  }
}
