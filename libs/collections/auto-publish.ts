import type { Database } from '#libs/database/database.js';

/** Collections published by one call at most. */
const BATCH = 100;

/**
 * Publishes the drafts that were to publish themselves (`auto_publish`) and whose job has completed, and those that
 * their owner has asked for, once their `publish_date` has come. Safe to call at any time and from any number of processes; a
 * collection that somebody is working on is left for the next call. Returns the ids of the published.
 */
export async function publishDueCollections(database: Database): Promise<string[]> {
  const rows = await database.query<{ id: string }>(PUBLISH, [BATCH]);
  return rows.map(({ id }) => id);
}

const PUBLISH = `
  with due as (
    select c.id from collection c
     where c.status = 'draft' and c.title is not null and (c.publish_date is null or c.publish_date <= now())
       and c.id in (
         select a.id from collection a
          where a.auto_publish and a.status = 'draft'
            and exists (select from job j where j.collection_id = a.id and j.status = 'completed'
                         and j.options @> '{"auto_publish": true}')
         union all
         select a.id from collection a
          where a.publish_asked and a.status = 'draft' and (a.publish_date is null or a.publish_date <= now()))
     limit $1 for update skip locked
  ), published as (
    update collection c set status = 'published', updated_at = now()
      from due where c.id = due.id returning c.id, c.user_id
  ), history as (
    insert into collection_history (collection_id, user_id, action)
    select id, user_id, 'published' from published
  )
  select id from published`;
