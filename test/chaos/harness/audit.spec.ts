import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import { buildRoad, type Road } from '../../factories/road.js';
import { eventually } from '../../setup/eventually.js';
import { audit, filesIn, type AuditReport } from './audit.js';
import { AUDIT_RULES } from './audit-rules.js';

/** What is done to rows that are right, and the rule that must see it. Each is undone afterwards. */
const DAMAGES: Array<[rule: string, sql: string]> = [
  ['job that never ended', `update job set status = 'processing' where id = (select id from job limit 1)`],
  ['generation that never ended', `update generation set status = 'waiting' where status = 'failed'`],
  ['job whose counts are not its generations', `update job set completed = completed - 1 where completed > 0`],
  ['job whose steps are miscounted', 'update job set steps_done = steps_done + 1'],
  [
    'ended generation that somebody still holds',
    `update generation set lease_until = now(), leased_by = 'x' where index = 0`,
  ],
  ['reservation resolved never or twice', `delete from credit_entry where type = 'release'`],
  [
    'reservation resolved never or twice',
    `drop index credit_entry_resolved_once;
     insert into credit_entry (user_id, type, amount, balance_after, held_after, key, job_id, generation_id)
     select user_id, 'release', amount, balance_after, held_after,
            replace(key, ':capture', ':release'), job_id, generation_id
       from credit_entry where type = 'capture' limit 1`,
  ],
  ['reservation resolved never or twice', `update credit_entry set amount = amount + 1 where type = 'capture'`],
  [
    'result that was not paid, or payment without a result',
    `update credit_entry set type = 'release', key = replace(key, ':capture', ':release') where type = 'capture'`,
  ],
  ['balance that is not the sum of its entries', 'update account set balance = balance + 1'],
  ['held sum that is not what is open', 'update account set balance = balance + 1, held = held + 1'],
  ['running sum that does not add up', `update credit_entry set balance_after = balance_after + 1 where type = 'hold'`],
  [
    'negative sum',
    `alter table account drop constraint account_never_overdrawn; update account set balance = -1`,
  ],
  ['negative sum', `update credit_entry set held_after = -1 where type = 'release'`],
  ['open generations miscounted', 'update account set open_generations = open_generations + 1'],
  ['submission not counted once', 'delete from usage_entry'],
  ['gap or repeat among the events of a job', 'delete from job_history where seq = 3'],
  [
    'gap or repeat among the events of a job',
    `alter table job_history drop constraint job_history_pkey;
     insert into job_history select * from job_history where seq = 2`,
  ],
  ['ended job without its last event', `delete from job_history where type in ('job_completed', 'job_failed')`],
  [
    'job that went on after its end',
    `insert into job_history (job_id, user_id, seq, type, data)
     select id, user_id, seq + 1, 'job_started', '{}' from job`,
  ],
  [
    'generation that went on after its end',
    `insert into job_history (job_id, user_id, seq, type, data)
     select j.id, j.user_id, j.seq + 1, 'node_started', jsonb_build_object('generation_id', g.id)
       from job j join generation g on g.job_id = j.id and g.status = 'completed' limit 1`,
  ],
  ['ended generation without its last event', `delete from job_history where type = 'generation_completed'`],
  [
    'finished step that was run again',
    `insert into step_run (generation_id, run, step_id, attempt, node, token, status)
     select generation_id, run, step_id, attempt + 1, node, gen_random_uuid(), 'failed'
       from step_run where status = 'completed' limit 1`,
  ],
  [
    'finished step that was run again',
    `drop index step_run_one_finished;
     insert into step_run (generation_id, run, step_id, attempt, node, token, status)
     select generation_id, run, step_id, attempt + 1, node, gen_random_uuid(), 'completed'
       from step_run where status = 'completed' limit 1`,
  ],
  [
    'step told to be completed twice',
    `insert into job_history (job_id, user_id, seq, type, data)
     select job_id, user_id, seq + 100, type, data from job_history where type = 'node_completed' limit 1`,
  ],
  ['completed generation that lacks a step', `delete from step_run where status = 'completed' and step_id = 1`],
  [
    'open step in an ended generation',
    `update step_run set status = 'running' where id = (select max(id) from step_run where status = 'failed')`,
  ],
  [
    'two assets in one place',
    `drop index flat_file_once;
     insert into flat_file (user_id, generation_id, step_id, index, name, storage_key, mime_type, size, sha256)
     select user_id, generation_id, step_id, index, name, storage_key, mime_type, size, sha256 from flat_file`,
  ],
  [
    'asset shown without being paid',
    `update generation set status = 'cancelled' where status = 'completed'`,
  ],
  ['asset that was told but is not there', `update flat_file set deleted_at = now()`],
  ['asset with other bytes', `update flat_file set sha256 = repeat('0', 64)`],
  ['asset without its object', `update flat_file set storage_key = 'elsewhere'`],
  ['accepted job lost', 'delete from job'],
];

describe('AUDIT', () => {
  let road: Road;
  let client: pg.Client;
  let accepted: string[];

  beforeAll(async () => {
    road = await buildRoad();
    road.worker().start();
    const steps: Step[] = [
      { id: 1, nodeName: 'echo', nodePayload: { value: 1 } },
      { id: 2, nodeName: 'file', nodePayload: { text: { $ref: 1 } } },
    ];
    const failing = [{ id: 1, nodeName: 'fail', nodePayload: { times: 9, permanent: true } }];
    const jobs = [await road.submit({ steps, generations: 2, basePrice: 1 }), await road.submit({ steps: failing })];
    accepted = jobs.map(({ jobId }) => jobId);
    client = new pg.Client({ connectionString: road.url });
    await client.connect();
    await client.query(
      `insert into usage_entry (user_id, face, job_id, key, generations)
       select user_id, 'collections', id, 'job:' || id || ':submit', generations from job`,
    );
    await eventually(async () => {
      const { rows } = await client.query(`select from job where status not in ('completed', 'failed')`);
      expect(rows).toEqual([]);
    }, 15_000);
  });
  afterAll(async () => {
    await client.end();
    await road.close();
  });

  const run = (): Promise<AuditReport> =>
    audit({ database: client, files: filesIn(road.storageFolder), accepted });
  const broken = async () => [...new Set((await run()).violations.map(({ rule }) => rule))];

  it('finds nothing in what is right, and says what it looked at', async () => {
    const { violations, checked } = await run();
    expect(violations).toEqual([]);
    expect(checked).toMatchObject({ job: 2, generation: 3, flat_file: 2 });
    expect(checked['job_history']).toBeGreaterThan(10);
  });

  it.each(DAMAGES)('sees: %s', async (rule, sql) => {
    await client.query('begin');
    try {
      await client.query(sql);
      expect(await broken()).toContain(rule);
    } finally {
      await client.query('rollback');
    }
  });

  it('sees a job that no client has a receipt of', async () => {
    const { violations } = await audit({ database: client, files: filesIn(road.storageFolder), accepted: accepted.slice(1) });
    expect(violations).toEqual([expect.objectContaining({ rule: 'phantom job', subject: `job ${accepted[0]}` })]);
  });

  it('has a damage for each of its rules', () => {
    const seen = new Set(DAMAGES.map(([rule]) => rule));
    expect(AUDIT_RULES.map(({ rule }) => rule).filter((rule) => !seen.has(rule))).toEqual([]);
  });

  it('sees an object that is gone, and one with other bytes', async () => {
    const objects = objectsIn(road.storageFolder);
    expect(objects).toHaveLength(2);
    writeFileSync(objects[0]!, 'other bytes');
    rmSync(objects[1]!);
    expect((await broken()).sort()).toEqual(['asset with other bytes', 'asset without its object']);
  });
});

function objectsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => statSync(path).isFile());
}
