import { randomUUID } from 'node:crypto';
import type { Database } from '#libs/database/database.js';
import { generateHash } from '#libs/instruction-set/hash.js';
import type { Trait } from '#libs/nodes/node.js';

export interface EditionsPlan {
  userId: string;
  collectionId: string;
  /** Of each edition. */
  traits: Trait[][];
  /** Default: new ones. */
  hashes?: string[];
}

/** A job of the collection whose generations are completed, as rows only. Returns the generations' ids. */
export async function finishEditions(
  database: Database,
  { userId, collectionId, traits, hashes }: EditionsPlan,
): Promise<string[]> {
  const rows = traits.map((own, index) => ({
    id: randomUUID(), index, hash: hashes?.[index] ?? generateHash(), traits: own,
  }));
  await database.query(
    `with owner as (insert into account (user_id) values ($2) on conflict do nothing), made as (
       insert into job (id, user_id, collection_id, name, job_type, status, priority, instruction_set, generations,
                        completed)
       values ($1, $2, $3, 'Test', 'collection_generation', 'completed', 50, '{}', $4, $4) returning id
     )
     insert into generation (id, job_id, user_id, index, hash, traits, status, lane, priority, turn, price,
                             completed_at)
     select g.id, made.id, $2, g.index, g.hash, g.traits, 'completed', 'default', 50, 1, 0, clock_timestamp()
       from made, jsonb_to_recordset($5) as g (id uuid, index integer, hash text, traits jsonb)`,
    [randomUUID(), userId, collectionId, rows.length, JSON.stringify(rows)],
  );
  return rows.map(({ id }) => id);
}
