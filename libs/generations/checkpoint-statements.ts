import { showCtes } from '#libs/assets/asset-rows.js';
import { appendCtes } from '#libs/credits/ledger.js';
import { prepared } from '#libs/database/prepared.js';
import { LEASE_SECONDS } from './claims.js';

/*
 * The engine's writes, each one statement: the job's lock, the fence, the attempts, the events with their
 * numbers, the counts and, at the end, the money. Everything depends on the row of the fence, so that a lease
 * that is lost changes nothing. Rows are locked in the order job, generation, account.
 *
 * A statement that waits for the job's lock goes on with that row as it is then, yet sees all other rows as
 * they were when it began. So numbers and counts are taken from the job's row alone, which `locked` holds.
 */

/**
 * A claimed generation begins, or goes on. `$8` values, `$9` traits, `$10` milliseconds it may take, `$11` its
 * progress in percent. A pause that came between the claim and a late beginning has marked it: what has begun is not held.
 */
export const BEGIN = prepared('begin_generation', `
  with ${locked()}, fenced as (
    update generation g
       set status = 'processing', lease_until = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS}),
           values = $8::jsonb, traits = $9::jsonb, progress = $11::real,
           started_at = coalesce(g.started_at, locked.now),
           deadline_at = coalesce(g.deadline_at, locked.now + make_interval(secs => $10::float8 / 1000)),
           paused_by = null, paused_at = null
      from locked
     where g.id = $2 and g.lease = $3 and g.status in ('pending', 'waiting')
    returning g.*
  ), ${attempts()}, event as (
    select row_number() over (order by place) + locked.seq as seq, type, data
      from locked cross join fenced cross join lateral (
        select 0 as place, 'job_started' as type, '{"status": "processing"}'::jsonb as data
         where locked.status = 'pending'
        union all ${given()}) as e
  ), ${history()}, job_row as (
    update job j
       set status = 'processing', started_at = coalesce(j.started_at, locked.now), ${stepsDone()}, ${numbers()}
      from locked cross join fenced where j.id = locked.id
  )
  select locked.seq, locked.now, locked.status = 'pending' as opened, ${begunAttempts()}
    from locked cross join fenced`);

/**
 * Steps are finished, others start. `$8` the generation's progress in percent. The lease is left to its
 * renewal: so the row changes in no column that an index holds. Written again because its answer was lost, it
 * finds its steps finished and started: it is answered the same, and nothing is told or counted twice.
 */
export const CHECKPOINT = prepared('checkpoint', `
  with ${locked()}, fenced as (
    update generation g set progress = $8::real
      from locked
     where g.id = $2 and g.lease = $3 and g.status = 'processing'
    returning g.*
  ), ${attempts()}, applied as (
    select from fenced
     where (select count(*) from closed) = jsonb_array_length($4::jsonb)
       and not exists (select from started where not fresh)
  ), event as (
    select row_number() over (order by place) + locked.seq as seq, type, data
      from locked cross join applied cross join lateral (${given()}) as e
  ), ${history()}, job_row as (
    update job j
       set ${stepsDone()}, ${numbers()}
      from locked cross join applied where j.id = locked.id
  )
  select locked.seq, locked.now, exists (select from applied) as applied, ${begunAttempts()}
    from locked cross join fenced`);

/**
 * The last checkpoint of a generation: its price and, with the job's first success, the base cost are
 * spent, its assets are shown, and the job ends with its last generation. `$8` traits, `$9` the steps whose
 * assets are shown (null: all), `$10` what other hosts gave, `$11` what the steps were made of and with.
 */
export const FINISH = prepared('finish_generation', `
  with ${locked()}, fenced as (
    update generation g
       set status = 'completed', progress = 100, traits = $8::jsonb, error = null, completed_at = locked.now,
           lease_until = null, leased_by = null, wake_at = null
      from locked
     where g.id = $2 and g.lease = $3 and g.status = 'processing'
    returning g.*
  ), ${attempts()}, ${showCtes({
    generation: 'fenced', job: '$1', traits: '$8', steps: '$9', fetched: '$10', made: '$11',
  })},
  outcome as (
    select locked.*, n.*, locked.base_status = 'held' as takes_base,
           case when not n.ends then locked.status when locked.failed > 0 then 'failed'
                when locked.cancelled > 0 then 'cancelled' else 'completed' end as next_status
      from locked cross join fenced
      cross join lateral (
        select locked.completed + 1 as next_completed,
               locked.completed + 1 + locked.failed + locked.cancelled >= locked.generations as ends,
               locked.steps_done + ${stepsEnded()} as next_steps_done) as n
  ), told as (
    select *, case when next_status = 'completed' then 100
                   else least(99, 100::bigint * next_steps_done / (steps * generations)) end as next_progress,
           case when ends and next_status = 'failed' then jsonb_build_object(
             'code', 'GENERATION_FAILED', 'message', format('%s of %s generations failed', failed, generations))
           end as next_error
      from outcome
  ), ending as (
    select jsonb_strip_nulls(jsonb_build_object(
             'status', next_status, 'progress', next_progress, 'error', next_error)) as data
      from told where ends
  ), event as (
    select row_number() over (order by place) + told.seq as seq, type, data
      from told cross join lateral (
        ${given()} union all select 1000000000, 'job_' || told.next_status, ending.data from ending) as e
  ), ${history()}, job_row as (
    update job j
       set status = told.next_status, steps_done = told.next_steps_done, completed = told.next_completed,
           progress = greatest(j.progress, told.next_progress), error = told.next_error, ${numbers()},
           base_status = case when told.takes_base then 'captured' else j.base_status end,
           completed_at = case when told.ends then told.now end
      from told where j.id = told.id
  ), movement as (
    select 'capture' as type, m.amount, -m.amount as balance, -m.amount as held, m.key || ':capture' as key,
           told.id as job_id, m.generation_id, null::text as description, m.position
      from told cross join fenced
      cross join lateral (values
        (fenced.price, 'generation:' || fenced.id || ':' || fenced.run, fenced.id, 1),
        (told.base_price, 'job:' || told.id || ':' || told.base_run || ':base', null, 2)
      ) as m (amount, key, generation_id, position)
     where m.position = 1 or (told.takes_base and told.base_price > 0)
  ), ${appendCtes({
    user: 'told.user_id',
    from: ', told',
    opens: 'case when told.in_flight then 0 else -1 end',
    flies: 'case when told.in_flight then -1 else 0 end',
  })}
  select told.seq, told.now, ending.data as ended,
         (select jsonb_agg(jsonb_build_object('amount', amount::text, 'key', key, 'generation_id', generation_id))
            from movement) as captures
    from told left join ending on true`);

/** The job's row, in this statement's hands from here on. */
function locked(): string {
  return `locked as (
    select id, user_id, status, seq, steps, steps_done, generations, completed, failed, cancelled, base_price,
           base_run, base_status, in_flight, last_txid, clock_timestamp() as now
      from job where id = $1 for no key update
  )`;
}

/** `$4` finished ones, `$5` new ones with their tokens and what they gave already, `$6` whether it runs alone. */
function attempts(): string {
  return `closed as (
    update step_run s
       set status = 'completed', output = c.output, logs = c.logs, progress = 1, completed_at = locked.now,
           wake_at = null
      from locked cross join fenced
      cross join jsonb_to_recordset($4::jsonb) as c (id bigint, output jsonb, logs jsonb)
     where s.id = c.id and s.status in ('running', 'waiting')
    returning s.id
  ), started as (
    insert into step_run (generation_id, run, alone, step_id, node, alias, token, input_digest, attempt,
                          status, output, logs, progress, completed_at)
    select fenced.id, fenced.run, $6::boolean, s.step_id, s.node, s.alias, s.token, s.input_digest, s.attempt,
           case when done then 'completed' else 'running' end, s.output, coalesce(s.logs, '[]'),
           case when done then 1 else 0 end, case when done then locked.now end
      from locked cross join fenced cross join jsonb_to_recordset($5::jsonb) as s (
             step_id bigint, node text, alias text, token uuid, input_digest text, attempt integer,
             output jsonb, logs jsonb)
      cross join lateral (select s.output is not null as done) as d
    -- By its token a start knows itself again; xmax tells a row that was there already.
    on conflict (generation_id, step_id, attempt) do update set token = excluded.token
     where step_run.token = excluded.token
    returning id, step_id, attempt, token, xmax = 0 as fresh
  )`;
}

/** How many steps `$4` and `$5` end. */
function stepsEnded(): string {
  return `(jsonb_array_length($4::jsonb) + jsonb_array_length(jsonb_path_query_array($5::jsonb, '$[*].output')))`;
}

/** The job goes on with them; its last percent is its end's. */
function stepsDone(): string {
  const done = `locked.steps_done + ${stepsEnded()}`;
  return `steps_done = ${done},
           progress = greatest(j.progress, least(99, 100::bigint * (${done}) / (j.steps * j.generations)))`;
}

function begunAttempts(): string {
  return '(select jsonb_agg(started) from started) as attempts';
}

/** `$7`: the events that the engine tells, in order. */
function given(): string {
  return `select place, type, data from rows from (
          jsonb_to_recordset($7::jsonb) as (type text, data jsonb)) with ordinality as g (type, data, place)`;
}

/**
 * Of two changes that wait for the job's row, the one that comes second can have the smaller transaction
 * id. Its events take over the id of the event before, so that those of a job never go back in the order
 * of all of a user's events.
 */
function history(): string {
  return `history as (
    insert into job_history (job_id, user_id, seq, type, data, at, txid)
    select locked.id, locked.user_id, event.seq, event.type, event.data, locked.now,
           greatest(locked.last_txid, pg_current_xact_id())
      from event cross join locked
  )`;
}

function numbers(): string {
  return 'seq = (select max(seq) from event), last_txid = greatest(j.last_txid, pg_current_xact_id())';
}
