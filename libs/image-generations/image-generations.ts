import type { Database, Queryable } from '#libs/database/database.js';
import { generationNotFound, unauthorized } from '#libs/errors/errors.js';
import type { ImageFace, ImageGeneration } from './image-generation.js';

/** Reads generations of the two-step and v1 faces, each with one statement. */
export class ImageGenerations {
  constructor(private readonly database: Database) {}

  /** One's own. Throws `GENERATION_NOT_FOUND`. */
  async find(face: ImageFace, userId: string, id: string): Promise<ImageGeneration> {
    const generation = await this.read(this.database, face, id);
    if (generation?.user_id !== userId) throw generationNotFound();
    return generation;
  }

  /** As `find`, but another user's is `UNAUTHORIZED` (the two-step face tells). */
  async findTold(userId: string, id: string): Promise<ImageGeneration> {
    const generation = await this.read(this.database, 'two_step', id);
    if (!generation) throw generationNotFound();
    if (generation.user_id !== userId) throw unauthorized();
    return generation;
  }

  /** One's own, newest first; `after` is creation time as text and id of the last one seen. */
  async list(
    face: ImageFace,
    userId: string,
    { limit, after }: { limit: number; after: string[] | null },
  ): Promise<ImageGeneration[]> {
    return this.database.query<ImageGeneration>(LIST, [userId, face, after?.[0], after?.[1], limit]);
  }

  private async read(db: Queryable, face: ImageFace, id: string): Promise<ImageGeneration | undefined> {
    const [row] = await db.query<ImageGeneration>(FIND, [id, face]);
    return row;
  }
}

const RENDERS = `
  select jsonb_agg(jsonb_build_object(
           'id', f.id::text, 'index', f.index, 'storage_key', f.storage_key, 'url', f.url, 'width', f.width,
           'height', f.height) order by f.index)
    from flat_file f
   where f.generation_id = g.id and f.shown and f.deleted_at is null and f.storage_key like 'public/renders/%'`;

const SELECT = `
  select i.id, i.user_id, i.request, i.prompt, i.begun_at is not null as begun, j.status,
         coalesce(g.error, j.error) as error, step.prediction, greatest(step.attempts - 1, 0)::int as retries,
         g.price, (select coalesce(sum(c.amount), 0) from credit_entry c
                    where c.job_id = j.id and c.type = 'capture') as captured,
         i.created_at, i.created_at::text as created_at_text, i.begun_at, j.completed_at,
         coalesce((${RENDERS}), '[]') as renders
    from image_generation i
    join job j on j.id = i.id
    join generation g on g.job_id = i.id
    left join lateral (
      select max(s.attempt) as attempts,
             (array_agg(s.prediction order by s.attempt desc) filter (where s.prediction is not null))[1] as prediction
        from step_run s where s.generation_id = g.id
    ) as step on true`;

const FIND = `${SELECT} where i.id = $1 and i.face = $2 and i.deleted_at is null`;

const LIST = `
  ${SELECT}
   where i.id in (
     select p.id from image_generation p
      where p.user_id = $1 and p.face = $2 and p.deleted_at is null
        and ($3::timestamptz is null or (p.created_at, p.id) < ($3, $4::uuid))
      order by p.created_at desc, p.id desc limit $5)
   order by i.created_at desc, i.id desc`;
