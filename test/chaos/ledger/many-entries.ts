import type pg from 'pg';

/** Entries of each account. The last one of each is the hold of a generation that is still open. */
const ENTRIES_OF_ACCOUNT = 500;

/**
 * Fills a ledger with right books: accounts that hold and capture or release in turns, their entries mixed
 * as the traffic of many users mixes them. `entries` is rounded down to whole accounts.
 */
export async function fillLedger(database: pg.Client, entries: number): Promise<void> {
  const accounts = Math.floor(entries / ENTRIES_OF_ACCOUNT);
  await database.query(ACCOUNTS, [accounts]);
  await database.query(ENTRIES, [accounts, ENTRIES_OF_ACCOUNT]);
  await database.query(JOBS, [ENTRIES_OF_ACCOUNT]);
  await database.query(SUMS);
  await database.query('analyze');
}

const USER = `('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid`;

const ACCOUNTS = `insert into account (user_id) select ${USER} from generate_series(1, $1::int) as n`;

/** Entry 1 is a grant, even ones hold, odd ones resolve the hold before them. */
const ENTRIES = `
  with entry as (
    select n, k, case when k = 1 then 'grant' when k % 2 = 0 then 'hold'
                      when k % 3 = 0 then 'release' else 'capture' end as type,
           case when k = 1 then 1000000000 else 1000 + 7 * (k / 2) end as amount
      from generate_series(1, $1::int) as n, generate_series(1, $2::int) as k
  ), running as (
    select *,
           sum(case type when 'grant' then amount when 'capture' then -amount else 0 end) over own as balance,
           sum(case type when 'hold' then amount when 'grant' then 0 else -amount end) over own as held
      from entry window own as (partition by n order by k)
  )
  insert into credit_entry (user_id, type, amount, balance_after, held_after, key)
  select ${USER}, type, amount, balance, held, 'filled:' || n || ':' || k / 2 || ':' || type
    from running order by k, n`;

const JOBS = `
  with last as (
    select distinct on (user_id) user_id, amount from credit_entry order by user_id, id desc
  ), job_row as (
    insert into job (id, user_id, name, job_type, priority, instruction_set, generations, base_status)
    select gen_random_uuid(), user_id, 'Open', 'collection_generation', 50, '{"steps": []}', 1, 'captured'
      from last
    returning id, user_id
  )
  insert into generation (id, job_id, user_id, index, hash, lane, priority, turn, price)
  select gen_random_uuid(), j.id, j.user_id, 0, 'filled', 'default', 50, 1, last.amount
    from job_row j join last using (user_id) where $1::int % 2 = 0`;

const SUMS = `
  update account a set balance = last.balance_after, held = last.held_after, open_generations = 1
    from (select distinct on (user_id) user_id, balance_after, held_after from credit_entry
           order by user_id, id desc) last
   where last.user_id = a.user_id`;
