import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type pg from 'pg';
import { v7 as uuid } from 'uuid';

/** Files are small: what is measured is what they cost beside their bytes. */
const FILE_BYTES = 2_000;
const WRITTEN_AT_ONCE = 200;

/** A published collection with so many finished editions, each with ten traits and one small file in `storage`. */
export async function createLargeCollection(db: pg.Client, userId: string, editions: number, storage: string): Promise<string> {
  const [collectionId, jobId] = [uuid(), uuid()];
  const keyOf = (index: number) => `generations/${userId}/${jobId}/${index}/1/0-${String(index).padStart(16, '0')}.png`;
  await db.query(ROWS, [collectionId, jobId, userId, editions]);
  for (const statement of FILES) await db.query(statement, [collectionId, jobId, userId, FILE_BYTES]);
  const bytes = Buffer.alloc(FILE_BYTES, 7);
  for (let from = 0; from < editions; from += WRITTEN_AT_ONCE) {
    const indexes = Array.from({ length: Math.min(WRITTEN_AT_ONCE, editions - from) }, (_, place) => from + place);
    await Promise.all(indexes.map(async (index) => {
      const path = join(storage, keyOf(index));
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    }));
  }
  await db.query('analyze');
  return collectionId;
}

/** Shares of 1 in 5 to 1 in 14: rarities differ, and some are ties. */
const ROWS = `
  with project_row as (
    insert into project (id, user_id, name) values (gen_random_uuid(), $3, 'Large') returning id
  ), collection_row as (
    insert into collection (id, user_id, project_id, title, status, blockchain, data)
    select $1, $3, id, 'Large', 'published', 'BASE', '{"steps": [], "variables": {}}' from project_row returning id
  ), job_row as (
    insert into job (id, user_id, collection_id, name, job_type, status, priority, instruction_set, generations, completed,
                     base_status, completed_at)
    select $2, $3, id, 'Large', 'collection_generation', 'completed', 50,
           '{"version": "v2", "variables": {}, "steps": [{"id": 1, "nodeName": "p5", "nodePayload": {"code": "x"}}]}',
           $4::int, $4::int, 'captured', now() from collection_row returning id
  )
  insert into generation (id, job_id, user_id, index, hash, status, lane, priority, turn, price, completed_at, traits)
  select gen_random_uuid(), job_row.id, $3, n, 'oo' || lpad(n::text, 49, '1'), 'completed', 'chromium', 50, n, 0, now(),
         (select jsonb_agg(jsonb_build_object('trait_type', 'Trait ' || t, 'value', 'value ' || (n * 7919 + t * 104729) % (4 + t)))
            from generate_series(1, 10) t)
    from job_row, generate_series(0, $4::int - 1) n`;

const FILES = [
  `insert into flat_file (user_id, collection_id, job_id, generation_id, step_id, index, name, storage_key, url, mime_type,
                          size, sha256, width, height, gen_in_data, gen_out_data, shown)
   select $3::uuid, $1::uuid, $2::uuid, g.id, 1, 0, 'art.png', f.key, '/files/' || f.key, 'image/png', $4::int, repeat('ab', 32), 64, 64,
          '{"steps": []}', '{"hash": "oo"}', true
     from generation g, lateral (
       select 'generations/' || $3::uuid || '/' || $2::uuid || '/' || g.index || '/1/0-' || lpad(g.index::text, 16, '0') || '.png' as key) f
    where g.job_id = $2::uuid`,
];
