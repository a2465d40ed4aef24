import type { Queryable, Transaction } from '#libs/database/database.js';

/** Generations of the v1 and two-step faces in the calendar month (UTC) that holds `now`; when it ends. */
export async function readMonthlyUsage(db: Queryable, userId: string): Promise<{ used: number; resetsAt: Date }> {
  const [usage] = await db.query<{ used: number; resets_at: Date }>(
    `with month as (select date_trunc('month', now(), 'UTC') as start)
     select coalesce(sum(u.generations), 0)::int as used,
            (select (start at time zone 'UTC' + interval '1 month') at time zone 'UTC' from month) as resets_at
       from usage_entry u, month
      where u.user_id = $1 and u.face in ('two_step', 'v1') and u.created_at >= month.start`,
    [userId],
  );
  return { used: usage?.used ?? 0, resetsAt: usage?.resets_at ?? new Date() };
}

/** SQL of the first day (UTC) of the month that holds a time. */
export const monthOf = (time: string): string => `date_trunc('month', ${time}, 'UTC')::date`;

/**
 * A submission's debit is given back, in the month that it was made in, for it ended without a result. Once per job:
 * a repeat changes nothing. The account's row is locked.
 */
export async function giveBackUsage(tx: Transaction, jobId: string): Promise<void> {
  await tx.query(GIVE_BACK, [jobId, `job:${jobId}:submit`, `job:${jobId}:return`]);
}

const GIVE_BACK = `
  with returned as (
    insert into usage_entry (user_id, face, job_id, key, generations, created_at)
    select user_id, face, job_id, $3, -generations, created_at from usage_entry where job_id = $1 and key = $2
    on conflict (key) do nothing returning user_id, generations, created_at
  )
  update account a set usage_generations = a.usage_generations + returned.generations
    from returned
   where a.user_id = returned.user_id and a.usage_month = ${monthOf('returned.created_at')}`;
