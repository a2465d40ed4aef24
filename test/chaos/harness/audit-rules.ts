export interface AuditRule {
  /** What went wrong where it finds something. */
  rule: string;
  /** Gives one row per violation: `subject`, `found`. */
  sql: string;
}

const ENDED = "('completed', 'failed', 'cancelled')";

/** Of a hold's key and that of its resolution, the part they share. */
const RESERVATION = "regexp_replace(key, ':(hold|capture|release)$', '')";

const ENDINGS: AuditRule[] = [
  {
    rule: 'job that never ended',
    sql: `select 'job ' || id as subject, status as found from job where status not in ${ENDED}`,
  },
  {
    rule: 'generation that never ended',
    sql: `select 'generation ' || id as subject, status as found from generation where status not in ${ENDED}`,
  },
  {
    rule: 'job whose counts are not its generations',
    sql: `select 'job ' || j.id as subject,
                 format('%s+%s+%s of %s', j.completed, j.failed, j.cancelled, j.generations) as found
            from job j left join lateral (
              select count(*) filter (where status = 'completed') as completed,
                     count(*) filter (where status = 'failed') as failed,
                     count(*) filter (where status = 'cancelled') as cancelled, count(*) as generations
                from generation where job_id = j.id) g on true
           where (j.completed, j.failed, j.cancelled, j.generations)
                 is distinct from (g.completed, g.failed, g.cancelled, g.generations)`,
  },
  {
    rule: 'job whose steps are miscounted',
    sql: `select 'job ' || j.id as subject, format('%s done, %s counted', count(s.id), j.steps_done) as found
            from job j join generation g on g.job_id = j.id
            left join step_run s on s.generation_id = g.id and s.status = 'completed'
           group by j.id having count(s.id) <> j.steps_done`,
  },
  {
    rule: 'ended generation that somebody still holds',
    sql: `select 'generation ' || id as subject, coalesce(leased_by, 'nobody') || ' until ' || lease_until as found
            from generation where status in ${ENDED} and lease_until is not null`,
  },
];

const BOOKS: AuditRule[] = [
  {
    rule: 'reservation resolved never or twice',
    sql: `select 'reservation ' || ${RESERVATION} as subject,
                 format('%s holds, %s captures, %s releases', count(*) filter (where type = 'hold'),
                   count(*) filter (where type = 'capture'), count(*) filter (where type = 'release')) as found
            from credit_entry where type in ('hold', 'capture', 'release') group by ${RESERVATION}
          having count(*) filter (where type = 'hold') <> 1 or count(*) filter (where type <> 'hold') <> 1
              or min(amount) <> max(amount)`,
  },
  {
    rule: 'result that was not paid, or payment without a result',
    sql: `select 'generation ' || g.id as subject, g.status || ', ' || coalesce(e.type, 'no resolution') as found
            from generation g left join credit_entry e
              on e.generation_id = g.id and e.type in ('capture', 'release')
             and e.key like 'generation:' || g.id || ':' || g.run || ':%'
           where g.status in ${ENDED}
             and e.type is distinct from case g.status when 'completed' then 'capture' else 'release' end`,
  },
  {
    rule: 'balance that is not the sum of its entries',
    sql: `select 'account ' || a.user_id as subject, format('%s, entries say %s', a.balance, t.balance) as found
            from account a join lateral (
              select coalesce(sum(case when type in ('grant', 'refund', 'adjust') then amount
                                       when type = 'capture' then -amount else 0 end), 0) as balance
                from credit_entry where user_id = a.user_id) t on a.balance <> t.balance`,
  },
  {
    rule: 'held sum that is not what is open',
    sql: `select 'account ' || a.user_id as subject, format('%s held, %s open', a.held, t.held) as found
            from account a join lateral (
              select coalesce(sum(case type when 'hold' then amount else -amount end), 0) as held
                from credit_entry where user_id = a.user_id and type in ('hold', 'capture', 'release')
            ) t on a.held <> t.held`,
  },
  {
    rule: 'running sum that does not add up',
    sql: `select 'entry ' || id as subject, format('%s after it, not %s', balance_after, balance) as found from (
            select id, balance_after, held_after,
                   sum(case when type in ('grant', 'refund', 'adjust') then amount
                            when type = 'capture' then -amount else 0 end) over in_order as balance,
                   sum(case type when 'hold' then amount when 'capture' then -amount
                            when 'release' then -amount else 0 end) over in_order as held
              from credit_entry window in_order as (partition by user_id order by id)) e
           where balance_after <> balance or held_after <> held`,
  },
  {
    rule: 'negative sum',
    sql: `select 'account ' || user_id as subject, format('balance %s, held %s', balance, held) as found
            from account where balance < 0 or held < 0 or balance < held
          union all
          select 'entry ' || id, format('balance %s, held %s', balance_after, held_after)
            from credit_entry where balance_after < 0 or held_after < 0`,
  },
  {
    rule: 'open generations miscounted',
    sql: `select 'account ' || a.user_id as subject,
                 format('%s open, %s counted', g.open, a.open_generations + a.in_flight) as found
            from account a join lateral (
              select count(*) as open from generation
               where user_id = a.user_id and status not in ${ENDED}) g
              on g.open <> a.open_generations + a.in_flight`,
  },
  {
    rule: 'submission not counted once',
    sql: `select 'job ' || j.id as subject, count(u.id) || ' usage entries' as found
            from job j left join usage_entry u on u.job_id = j.id and u.key like '%:submit'
           group by j.id having count(u.id) <> 1`,
  },
];

const EVENTS: AuditRule[] = [
  {
    rule: 'gap or repeat among the events of a job',
    sql: `select 'job ' || j.id as subject,
                 format('%s events, %s numbers from %s to %s, job says %s', count(h.seq), count(distinct h.seq),
                   min(h.seq), max(h.seq), j.seq) as found
            from job j left join job_history h on h.job_id = j.id group by j.id
          having count(h.seq) <> j.seq or count(distinct h.seq) <> j.seq or min(h.seq) is distinct from 1
              or max(h.seq) is distinct from j.seq`,
  },
  {
    rule: 'ended job without its last event',
    sql: `select 'job ' || j.id as subject, j.status || ', last event ' || coalesce(last.type, 'none') as found
            from job j left join lateral (
              select type from job_history where job_id = j.id order by seq desc limit 1) last on true
           where j.status in ${ENDED} and last.type is distinct from 'job_' || j.status`,
  },
  {
    rule: 'job that went on after its end',
    sql: `select 'job ' || job_id as subject, type || ' was followed by ' || next as found from (
            select job_id, type, lead(type) over (partition by job_id order by seq) as next from job_history) h
           where type in ('job_completed', 'job_failed', 'job_cancelled') and next <> 'job_resumed'`,
  },
  {
    rule: 'generation that went on after its end',
    sql: `select 'generation ' || generation as subject, type || ' was followed by ' || next as found from (
            select data ->> 'generation_id' as generation, type, lead(type) over (
                     partition by data ->> 'generation_id' order by seq) as next
              from job_history where data ? 'generation_id') h
           where type = 'generation_completed' and next is not null
              or type in ('generation_failed', 'generation_cancelled') and next <> 'generation_resumed'`,
  },
  {
    rule: 'ended generation without its last event',
    sql: `select 'generation ' || g.id as subject, g.status || ', last event ' || coalesce(last.type, 'none') as found
            from generation g left join lateral (
              select type from job_history
               where job_id = g.job_id and data ->> 'generation_id' = g.id::text order by seq desc limit 1
            ) last on true
           where g.status in ${ENDED} and last.type is distinct from 'generation_' || g.status`,
  },
];

const STEPS: AuditRule[] = [
  {
    rule: 'finished step that was run again',
    sql: `select 'step ' || later.step_id || ' of generation ' || later.generation_id as subject,
                 format('attempt %s is %s after attempt %s had completed', later.attempt, later.status,
                   done.attempt) as found
            from step_run done join step_run later using (generation_id, step_id)
           where done.status = 'completed' and (later.attempt > done.attempt
              or later.status = 'completed' and later.id > done.id)`,
  },
  {
    rule: 'step told to be completed twice',
    sql: `select 'step ' || (data ->> 'step_id') || ' of generation ' || (data ->> 'generation_id') as subject,
                 count(*) || ' events' as found
            from job_history where type = 'node_completed'
           group by job_id, data ->> 'generation_id', data ->> 'step_id' having count(*) > 1`,
  },
  {
    rule: 'completed generation that lacks a step',
    sql: `select 'generation ' || g.id as subject,
                 format('%s of %s steps', count(s.id), jsonb_array_length(j.instruction_set -> 'steps')) as found
            from generation g join job j on j.id = g.job_id
            left join step_run s on s.generation_id = g.id and s.status = 'completed'
           where g.status = 'completed' group by g.id, j.id
          having count(distinct s.step_id) <> jsonb_array_length(j.instruction_set -> 'steps')`,
  },
  {
    rule: 'open step in an ended generation',
    sql: `select 'step ' || s.step_id || ' of generation ' || g.id as subject, s.status as found
            from step_run s join generation g on g.id = s.generation_id
           where g.status in ${ENDED} and s.status in ('running', 'waiting')`,
  },
];

const ASSETS: AuditRule[] = [
  {
    rule: 'two assets in one place',
    sql: `select format('output %s of step %s of generation %s', index, step_id, generation_id) as subject,
                 count(*) || ' files' as found
            from flat_file where deleted_at is null and generation_id is not null
           group by generation_id, step_id, index having count(*) > 1`,
  },
  {
    rule: 'asset shown without being paid',
    sql: `select 'file ' || f.id as subject, 'its generation is ' || g.status as found
            from flat_file f join generation g on g.id = f.generation_id
           where f.shown and f.deleted_at is null and g.status <> 'completed'`,
  },
  {
    rule: 'asset that was told but is not there',
    sql: `select 'generation ' || g.id as subject,
                 format('%s told, %s shown', told.files, shown.files) as found
            from generation g, lateral (
              select count(*) as files from job_history h where h.job_id = g.job_id
                 and h.type = 'image_generated' and h.data ->> 'generation_id' = g.id::text) told, lateral (
              select count(*) as files from flat_file
               where generation_id = g.id and shown and deleted_at is null) shown
           where told.files <> shown.files`,
  },
];

/** What must never be, whatever happened. Ended: nothing runs any more when it is asked. */
export const AUDIT_RULES: AuditRule[] = [...ENDINGS, ...BOOKS, ...EVENTS, ...STEPS, ...ASSETS];
