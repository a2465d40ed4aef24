import { randomUUID } from 'node:crypto';
import type { Database } from '#libs/database/database.js';

export interface CollectionPlan {
  status?: 'draft' | 'published';
  archived?: boolean;
  remixable?: boolean;
}

/** A collection of the user, in a project of its own. Returns its id. */
export async function createCollection(
  database: Database,
  userId: string,
  { status = 'published', archived = false, remixable = false }: CollectionPlan = {},
): Promise<string> {
  const [projectId, id] = [randomUUID(), randomUUID()];
  await database.query(`insert into project (id, user_id, name) values ($1, $2, 'Test')`, [projectId, userId]);
  await database.query(
    `insert into collection (id, user_id, project_id, title, status, archived, remixable)
     values ($1, $2, $3, 'Test', $4, $5, $6)`,
    [id, userId, projectId, status, archived, remixable],
  );
  return id;
}

export interface AssetPlan {
  userId: string;
  collectionId?: string;
  storageKey?: string;
  name?: string;
  mimeType?: string;
  size?: number;
  sha256?: string;
  shown?: boolean;
}

/** The row of an asset, shown unless told otherwise. Its bytes are not in storage. */
export async function createAsset(
  database: Database,
  plan: AssetPlan,
): Promise<{ id: string; storageKey: string }> {
  const storageKey = plan.storageKey ?? `uploads/${plan.userId}/${randomUUID()}.png`;
  const shown = plan.shown ?? true;
  const [row] = await database.query<{ id: string }>(
    `insert into flat_file (user_id, collection_id, name, storage_key, url, mime_type, size, sha256, shown,
                            gen_in_data, gen_out_data)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, '{"steps": []}', '{"hash": "oo"}') returning id`,
    [plan.userId, plan.collectionId ?? null, plan.name ?? 'art.png', storageKey,
      shown ? `/files/${storageKey}` : null, plan.mimeType ?? 'image/png', plan.size ?? 10,
      plan.sha256 ?? 'ab'.repeat(32), shown],
  );
  return { id: (row as { id: string }).id, storageKey };
}
