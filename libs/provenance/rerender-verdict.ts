import { createHash } from 'node:crypto';
import { ASSET_COLUMNS, type AssetRow } from '#libs/assets/asset-row.js';
import { presentAsset, type AssetView } from '#libs/assets/asset-view.js';
import type { FileUrls } from '#libs/assets/file-urls.js';
import { costBreakdown, type CostBreakdown } from '#libs/credits/pricing.js';
import type { Queryable } from '#libs/database/database.js';
import { notFound, serviceUnavailable } from '#libs/errors/errors.js';
import type { EventError } from '#libs/events/job-event.js';
import { ObjectNotFound, type Storage } from '#libs/storage/storage.js';

/** To read the largest file once from a slow storage. */
const READ_TIMEOUT_MS = 300_000;

/** What is really in storage, by its bytes. */
export interface StoredBytes {
  sha256: string;
  /** Bytes. */
  size: number;
  /** They are those that were stored when the file was made. */
  intact: boolean;
}

/** A file made again, and how it compares. */
export interface RerenderView {
  asset_id: string;
  job_id: string;
  status: string;
  /** Whether what was made again has the very bytes that lie in storage; null: not known yet, or it failed. */
  equal: boolean | null;
  /** As it was recorded when the file was made. */
  sha256: string;
  /** Null: not looked at yet, or there is nothing. */
  stored: StoredBytes | null;
  /** A file of one's own from now on. Null: it was not made, not yet, or it is deleted. */
  rerendered: AssetView | null;
  error: EventError | null;
  created_at: string;
  completed_at: string | null;
  cost_breakdown: CostBreakdown;
  urls: { rerender_url: string; job_status_url: string; job_events_url: string };
}

interface RerenderRow {
  status: string;
  error: EventError | null;
  created_at: Date;
  completed_at: Date | null;
  compared_at: Date | null;
  equal: boolean | null;
  stored_sha256: string | null;
  stored_size: string | null;
  sha256: string;
  storage_key: string;
  price: string;
  again: AssetRow | null;
}

/** Says of re-renders what came of them. The bytes are compared once, when they are first asked about after the end. */
export class RerenderVerdicts {
  constructor(
    private readonly database: Queryable,
    private readonly storage: Storage,
    private readonly urls: FileUrls,
  ) {}

  /** Throws `NOT_FOUND`, and `SERVICE_UNAVAILABLE` where the storage cannot be read. */
  async find(
    userId: string,
    assetId: string,
    jobId: string,
    db: Queryable = this.database,
  ): Promise<RerenderView> {
    const [row] = await db.query<RerenderRow>(FIND, [userId, assetId, jobId]);
    if (!row) throw notFound('Rerender');
    const isDue = row.status === 'completed' && row.compared_at === null;
    return this.present(assetId, jobId, isDue ? await this.compare(jobId, row) : row);
  }

  private async compare(jobId: string, row: RerenderRow): Promise<RerenderRow> {
    const stored = await this.digest(row.storage_key);
    const equal = stored !== null && stored.sha256 === row.again?.sha256;
    const stored_sha256 = stored && stored.sha256;
    const stored_size = stored && String(stored.size);
    await this.database.query(COMPARED, [jobId, equal, stored_sha256, stored_size]);
    return { ...row, equal, stored_sha256, stored_size };
  }

  /** Null: there are no bytes any more. */
  private async digest(key: string): Promise<{ sha256: string; size: number } | null> {
    const hash = createHash('sha256');
    let size = 0;
    try {
      for await (const chunk of await this.storage.open(key, { signal: AbortSignal.timeout(READ_TIMEOUT_MS) })) {
        hash.update(chunk as Buffer);
        size += (chunk as Buffer).length;
      }
    } catch (error) {
      if (error instanceof ObjectNotFound) return null;
      throw serviceUnavailable();
    }
    return { sha256: hash.digest('hex'), size };
  }

  private present(assetId: string, jobId: string, row: RerenderRow): RerenderView {
    const { status, equal, sha256, stored_sha256, again, created_at, completed_at } = row;
    const stored = stored_sha256 === null ? null : { sha256: stored_sha256, size: Number(row.stored_size) };
    return {
      asset_id: assetId,
      job_id: jobId,
      status,
      equal,
      sha256,
      stored: stored && { ...stored, intact: stored.sha256 === sha256 },
      rerendered: again && presentAsset(again, this.urls),
      error: row.error,
      created_at: created_at.toISOString(),
      completed_at: completed_at && completed_at.toISOString(),
      cost_breakdown: costBreakdown({ base: 0n, perGeneration: BigInt(row.price) }, 1),
      urls: {
        rerender_url: `/assets/${assetId}/rerenders/${jobId}`,
        job_status_url: `/jobs/${jobId}`,
        job_events_url: `/jobs/${jobId}/events`,
      },
    };
  }
}

const COMPARED = `
  update rerender set compared_at = now(), equal = $2, stored_sha256 = $3, stored_size = $4
   where job_id = $1 and compared_at is null`;

/** Its place among the outputs of its step tells which of them is the one. */
const FIND = `
  select j.status, coalesce((select g.error from generation g where g.job_id = j.id and g.error is not null limit 1),
                            j.error) as error,
         j.created_at, j.completed_at, r.compared_at, r.equal, r.stored_sha256, r.stored_size, o.sha256, o.storage_key,
         (select g.price::text from generation g where g.job_id = j.id limit 1) as price,
         (select to_jsonb(a) || jsonb_build_object('id', a.id::text, 'step_id', a.step_id::text)
            from (select ${ASSET_COLUMNS} from generation g join flat_file f on f.generation_id = g.id
                   where g.job_id = j.id and f.step_id = o.step_id and f.index = o.index and f.shown
                     and f.deleted_at is null) as a) as again
    from rerender r
    join job j on j.id = r.job_id
    join flat_file o on o.id = r.asset_id and o.deleted_at is null
   where j.user_id = $1 and r.asset_id = $2 and r.job_id = $3`;
