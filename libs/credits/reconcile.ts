import type { Queryable } from '#libs/database/database.js';
import { toCredits } from './micro-credits.js';
import { monthOf } from './usage.js';

/** An account that breaks a rule of the ledger, and which. */
export interface Drift {
  user_id: string;
  rule: 'balance' | 'held' | 'open_price' | 'open_generations' | 'usage' | 'running_sum';
  expected: number;
  actual: number;
}

export interface Reconciliation {
  accounts: number;
  entries: number;
  /** Empty when the books are right; 1,000 at most. */
  drift: Drift[];
}

interface DriftRow {
  user_id: string;
  rule: Drift['rule'];
  expected: string;
  actual: string;
}

/** Checks every account against its entries and against what is open. Reads one snapshot; writes nothing. */
export async function reconcile(db: Queryable): Promise<Reconciliation> {
  const [counts] = await db.query<{ accounts: number; entries: number }>(
    'select (select count(*)::int from account) as accounts, (select count(*)::int from credit_entry) as entries',
  );
  const rows = await db.query<DriftRow>(DRIFT);
  const drift = rows.map(({ user_id, rule, expected, actual }) => ({
    user_id,
    rule,
    expected: COUNTS.has(rule) ? Number(expected) : toCredits(expected),
    actual: COUNTS.has(rule) ? Number(actual) : toCredits(actual),
  }));
  return { accounts: counts?.accounts ?? 0, entries: counts?.entries ?? 0, drift };
}

const COUNTS = new Set<Drift['rule']>(['open_generations', 'usage']);

const DRIFT = `
  with total as (
    select user_id,
           sum(case type when 'capture' then -amount when 'hold' then 0 when 'release' then 0 else amount end) as balance,
           sum(case type when 'hold' then amount when 'capture' then -amount when 'release' then -amount else 0 end) as held
      from credit_entry group by user_id
  ), running as (
    select user_id, balance_after, held_after,
           sum(case type when 'capture' then -amount when 'hold' then 0 when 'release' then 0 else amount end)
             over in_order as balance,
           sum(case type when 'hold' then amount when 'capture' then -amount when 'release' then -amount else 0 end)
             over in_order as held
      from credit_entry window in_order as (partition by user_id order by id)
  ), open_generation as (
    select g.user_id, sum(g.price) as price, count(*) as open, count(*) filter (where j.in_flight) as in_flight
      from generation g join job j on j.id = g.job_id
     where g.status in ('pending', 'processing', 'waiting') group by g.user_id
  ), usage as (
    select user_id, ${monthOf('created_at')} as month, sum(generations) as generations
      from usage_entry where face <> 'collections' group by 1, 2
  ), open_base as (
    select user_id, sum(base_price) as price from job where base_status = 'held' group by user_id
  ), fault as (
    select a.user_id, 'balance' as rule, coalesce(t.balance, 0)::numeric as expected, a.balance::numeric as actual
      from account a left join total t using (user_id) where a.balance <> coalesce(t.balance, 0)
    union all
    select a.user_id, 'held', coalesce(t.held, 0), a.held
      from account a left join total t using (user_id) where a.held <> coalesce(t.held, 0)
    union all
    select a.user_id, 'open_price', coalesce(g.price, 0) + coalesce(b.price, 0), a.held
      from account a left join open_generation g using (user_id) left join open_base b using (user_id)
     where a.held <> coalesce(g.price, 0) + coalesce(b.price, 0)
    union all
    select a.user_id, 'open_generations', coalesce(g.open, 0), a.open_generations + a.in_flight
      from account a left join open_generation g using (user_id)
     where a.open_generations + a.in_flight <> coalesce(g.open, 0) or a.in_flight <> coalesce(g.in_flight, 0)
    union all
    select a.user_id, 'usage', coalesce(u.generations, 0), a.usage_generations
      from account a left join usage u on u.user_id = a.user_id and u.month = a.usage_month
     where a.usage_generations <> coalesce(u.generations, 0)
    union all
    select user_id, 'running_sum', min(balance), min(balance_after)
      from running where balance <> balance_after or held <> held_after group by user_id
  )
  select user_id, rule, expected::text, actual::text from fault limit 1000`;
