import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import type { FileUrls } from '#libs/assets/file-urls.js';
import type { Database } from '#libs/database/database.js';
import { collectionNotFound, jobNotFound } from '#libs/errors/errors.js';
import { openedGeneration } from './sealed-rows.js';
import { secondsPerGeneration } from '#libs/workflows/workflow-duration.js';
import { generationObjects, JOB_SELECT, type GenerationRow, type JobRow } from './job-rows.js';
import {
  presentGeneration, presentSummary, type GenerationView, type JobSummary, type JobView,
} from './job-view.js';

/** A job itself carries this many of its generations; the rest is paged. */
const GENERATIONS_SHOWN = 100;
const NO_WORKFLOW = '00000000-0000-0000-0000-000000000000';

export interface JobFilters {
  status?: string;
  job_type?: string;
  collection_id?: string;
  tag?: string;
  external_id?: string;
}

export interface JobPage {
  limit: number;
  /** Creation time as text and id of the last job of the page before. */
  after: string[] | null;
}

export interface ListedJob {
  job: JobSummary;
  createdAtText: string;
}

/** A job and the number of its last event, of one moment. */
export interface JobSnapshot {
  job: JobView;
  seq: number;
}

/** Reads jobs of their owner. One statement each, and one more for the estimate of jobs that wait. */
export class JobQueries {
  constructor(
    private readonly database: Database,
    private readonly urls: FileUrls,
    private readonly keys: CollectionKeys,
  ) {}

  /** Throws `JOB_NOT_FOUND`. */
  async find(userId: string, jobId: string): Promise<JobView> {
    return (await this.snapshot(userId, jobId)).job;
  }

  /** Throws `JOB_NOT_FOUND`. */
  async snapshot(userId: string, jobId: string): Promise<JobSnapshot> {
    const [row] = await this.database.query<JobRow & { objects: GenerationRow[] }>(FIND, [jobId, userId]);
    if (!row) throw jobNotFound();
    const [summary] = await this.summaries([row]);
    const objects = await this.opened(row, row.objects);
    const generations = objects.map((object) => presentGeneration(object, this.urls));
    return { job: { ...(summary as JobSummary), generations }, seq: Number(row.seq) };
  }

  /** Newest first. */
  async list(userId: string, filters: JobFilters, { limit, after }: JobPage): Promise<ListedJob[]> {
    const rows = await this.database.query<JobRow>(LIST, [
      userId, filters.status, filters.job_type, filters.collection_id, filters.tag, filters.external_id,
      after?.[0], after?.[1], limit,
    ]);
    const summaries = await this.summaries(rows);
    return summaries.map((job, i) => ({ job, createdAtText: (rows[i] as JobRow).created_at_text }));
  }

  /** The newest jobs that have not ended, of all or of one collection. */
  async open(userId: string, collectionId: string | undefined, limit: number): Promise<JobSummary[]> {
    return this.summaries(await this.database.query<JobRow>(OPEN, [userId, collectionId ?? null, limit]));
  }

  /** Generations after an index, in order, with the outputs of their steps. Throws `JOB_NOT_FOUND`. */
  async generations(
    userId: string,
    jobId: string,
    afterIndex: number,
    limit: number,
  ): Promise<GenerationView[]> {
    const rows = await this.database.query<OfJob & { generation: GenerationRow | null }>(GENERATIONS, [
      jobId, userId, afterIndex, limit,
    ]);
    const [job] = rows;
    if (!job) throw jobNotFound();
    const generations = await this.opened(job, rows.flatMap(({ generation }) => generation ?? []));
    return generations.map((generation) => presentGeneration(generation, this.urls));
  }

  /** Throws `JOB_NOT_FOUND` unless the job is the user's. */
  async assertOwner(userId: string, jobId: string): Promise<void> {
    const rows = await this.database.query('select from job where id = $1 and user_id = $2', [jobId, userId]);
    if (rows.length === 0) throw jobNotFound();
  }

  /** Throws `COLLECTION_NOT_FOUND` unless the collection is the user's. */
  async assertCollectionOwner(userId: string, collectionId: string): Promise<void> {
    const rows = await this.database.query('select from collection where id = $1 and user_id = $2', [
      collectionId, userId,
    ]);
    if (rows.length === 0) throw collectionNotFound();
  }

  private async opened({ encrypted, collection_id }: OfJob, rows: GenerationRow[]): Promise<GenerationRow[]> {
    if (!encrypted) return rows;
    const opener = await this.keys.opener(collection_id);
    return rows.map((row) => openedGeneration(opener, row));
  }

  private async summaries(rows: JobRow[]): Promise<JobSummary[]> {
    const workflows = rows
      .filter(({ queue_position }) => queue_position !== null)
      .map((row) => ({ id: row.workflow_id ?? NO_WORKFLOW, data: { estimated_duration: row.duration_hint } }));
    const seconds = workflows.length > 0 ? await secondsPerGeneration(this.database, workflows) : new Map();
    return rows.map((row) => presentSummary(row, seconds.get(row.workflow_id ?? NO_WORKFLOW) ?? 0));
  }
}

type OfJob = Pick<JobRow, 'encrypted' | 'collection_id'>;

const FIRST_GENERATIONS = generationObjects({
  jobId: 'job.id', after: '-1', limit: String(GENERATIONS_SHOWN), withOutput: false,
});
const NEXT_GENERATIONS = generationObjects({ jobId: 'j.id', after: '$3', limit: '$4', withOutput: true });

const FIND = `
  select job.*, coalesce((
           select jsonb_agg(o.generation order by (o.generation -> 'index')::int)
             from (${FIRST_GENERATIONS}) as o
         ), '[]') as objects
    from (${JOB_SELECT} where j.id = $1 and j.user_id = $2) as job`;

/** The page is chosen first: what a view adds to a job is then looked up for the page's jobs alone. */
const LIST = `
  ${JOB_SELECT}
   where j.id in (
     select p.id from job p
      where p.user_id = $1 and ($2::text is null or p.status = $2) and ($3::text is null or p.job_type = $3)
        and ($4::uuid is null or p.collection_id = $4) and ($5::text is null or p.tags @> array[$5])
        and ($6::text is null or p.external_id = $6)
        and ($7::timestamptz is null or (p.created_at, p.id) < ($7, $8::uuid))
      order by p.created_at desc, p.id desc limit $9)
   order by j.created_at desc, j.id desc`;

const OPEN = `
  ${JOB_SELECT}
   where j.id in (
     select p.id from job p
      where p.user_id = $1 and p.status in ('pending', 'processing')
        and ($2::uuid is null or p.collection_id = $2)
      order by p.created_at desc, p.id desc limit $3)
   order by j.created_at desc, j.id desc`;

const GENERATIONS = `
  select o.generation, j.encrypted, j.collection_id
    from job j
    left join lateral (${NEXT_GENERATIONS}) as o on true
   where j.id = $1 and j.user_id = $2
   order by (o.generation -> 'index')::int`;
