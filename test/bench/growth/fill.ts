import type pg from 'pg';

/** Jobs written by one round of statements. */
const PIECE = 20_000;
/** Of all jobs, the first user owns every tenth: a list must be quick for who has most. */
const USERS = 1_000;

/**
 * Writes jobs that have ended, with every row that making them would have left: collections, generations,
 * steps, events, ledger entries, assets and the rest. One job a second, up to now. The busiest user is
 * `ownerId`, who has a tenth of them.
 */
export async function fill(db: pg.Client, jobs: number, ownerId: string, workflowId: string): Promise<void> {
  // What is written refers to what is written: checking each row's keys would take most of the time.
  await db.query("set session_replication_role = 'replica'; set synchronous_commit = off");
  await db.query(NAMES);
  await db.query(ACCOUNTS, [USERS]);
  await db.query('update bench_user set id = $1 where place = 0', [ownerId]);
  for (let from = 1; from <= jobs; from += PIECE) {
    const to = Math.min(from + PIECE - 1, jobs);
    for (const statement of PIECES) {
      await db.query(statement.includes('$4') ? statement : untyped(statement), [from, to, jobs, workflowId]);
    }
  }
  await db.query("set session_replication_role = 'origin'; set synchronous_commit = on");
  await db.query('vacuum analyze');
}

/** A parameter that a statement leaves out would have no type. */
const untyped = (statement: string) => statement.replace('with ', 'with _ as (select $4::uuid), ');

/** Ids that can be told from a number, ordered in time like the product's own. */
const NAMES = `
  create function bench_id(kind int, n bigint) returns uuid language sql immutable parallel safe as $$
    select (lpad(to_hex(1700000000000 + n * 1000), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8'
            || lpad(to_hex(n), 15, '0'))::uuid
  $$;
  create table bench_user (place int primary key, id uuid not null)`;

const ACCOUNTS = `
  with made as (insert into bench_user select place, bench_id(9, place) from generate_series(0, $1::int) place returning id)
  insert into account (user_id, balance) select id, 1000000000000 from made on conflict do nothing`;

/** The jobs of a piece: number, owner, time. */
const JOBS = `
  with job_no as (
    select n, u.id as user_id, now() - ($3 - n) * interval '1 s' as at
      from generate_series($1::bigint, $2::bigint) n
      join bench_user u on u.place = case when n % 10 = 0 then 0 else 1 + (n * 7919) % ${USERS} end
  )`;

const SET = `'{"version": "v2", "variables": {}, "generations": {"hashes": [], "generations": 1, "use_custom_hashes": false},
  "steps": [{"id": 1, "nodeName": "prompt", "nodePayload": {"template": "nothing"}}]}'::jsonb`;

const EVENTS = ['job_queued', 'job_started', 'generation_started', 'node_completed', 'generation_completed', 'job_completed'];

const PIECES = [
  `${JOBS} insert into project (id, user_id, name, is_default)
     select gen_random_uuid(), id, 'Default', true from bench_user where $1::bigint = 1
       and not exists (select from project p where p.user_id = bench_user.id)`,
  `${JOBS} insert into collection (id, user_id, project_id, title, status, blockchain, data, created_at, updated_at)
     select bench_id(1, n), user_id, bench_id(8, 1), 'Collection ' || n, case n % 10 when 5 then 'published' else 'draft' end,
            case when n % 100 = 5 then 'TEZOS' end, ${SET}, at, at from job_no`,
  `${JOBS} insert into collection_history (collection_id, user_id, action, data, created_at)
     select bench_id(1, n), user_id, 'created', jsonb_build_object('workflow_id', $4::uuid, 'workflow_version', 1), at from job_no`,
  `${JOBS} insert into component (collection_id, created_at) select bench_id(1, n), at from job_no`,
  `${JOBS} insert into job (
       id, user_id, collection_id, workflow_id, workflow_version, name, job_type, status, priority, instruction_set,
       tags, external_id, seq, progress, steps_done, generations, completed, base_status, created_at, started_at, completed_at)
     select bench_id(2, n), user_id, bench_id(1, n), $4, 1, 'Job ' || n, 'collection_auto_generation', 'completed', 50, ${SET},
            array['tag-' || n / 500], 'external-' || n, ${EVENTS.length}, 100, 1, 1, 1, 'captured', at, at, at + interval '1 s'
       from job_no`,
  `${JOBS} insert into generation (
       id, job_id, user_id, index, hash, status, lane, priority, turn, price, lease, progress, values, created_at, started_at,
       completed_at)
     select bench_id(3, n), bench_id(2, n), user_id, 0, encode(sha256(n::text::bytea), 'hex'), 'completed', 'default', 50, n,
            1000000, 1, 100, '{}', at, at, at + interval '1 s' from job_no`,
  `${JOBS} insert into step_run (
       generation_id, run, step_id, attempt, node, status, token, output, progress, started_at, completed_at)
     select bench_id(3, n), 1, 1, 1, 'prompt', 'completed', gen_random_uuid(), '{"value": "nothing"}', 1, at, at from job_no`,
  `${JOBS} insert into job_history (job_id, seq, user_id, type, data, at)
     select bench_id(2, n), e.seq, user_id, e.type, '{"status": "completed"}', at
       from job_no, unnest(array[${EVENTS.map((type) => `'${type}'`).join(', ')}]) with ordinality e (type, seq)`,
  `${JOBS} insert into credit_entry (
       user_id, type, amount, balance_after, held_after, key, job_id, generation_id, created_at)
     select user_id, m.type, 1000000, 1000000000000, 0, 'gen:' || bench_id(3, n) || ':1:' || m.type, bench_id(2, n),
            bench_id(3, n), at from job_no, unnest(array['hold', 'capture']) m (type)`,
  `${JOBS} insert into usage_entry (user_id, face, job_id, key, generations, created_at)
     select user_id, 'collections', bench_id(2, n), 'job:' || bench_id(2, n) || ':submit', 1, at from job_no`,
  `${JOBS} insert into idempotency_key (user_id, route, key, fingerprint, status, body, created_at)
     select user_id, 'POST /api/collections/generate', n::text, md5(n::text), 201, '{"success": true}', now() from job_no`,
  `${JOBS} insert into flat_file (
       user_id, collection_id, job_id, generation_id, step_id, index, name, storage_key, url, mime_type, size, sha256,
       gen_in_data, gen_out_data, shown, created_at)
     select user_id, bench_id(1, n), bench_id(2, n), bench_id(3, n), 1, 0, 'art.png', 'gen/' || n || '.png',
            '/files/gen/' || n || '.png', 'image/png', 1000, md5(n::text) || md5(n::text), '{"steps": []}', '{"hash": "oo"}',
            true, at from job_no`,
];
