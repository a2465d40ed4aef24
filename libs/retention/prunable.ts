import type { Environment } from '#libs/config/environment.js';

/** Rows of one kind that go when they are old. Looked through page by page in the order of their ids. */
export interface Prunable {
  name: string;
  /** Absent: they are kept for ever. */
  keepDays: number | undefined;
  /** Rows removed by one statement at most, counted by their weight; one goes, whatever it weighs. */
  atOnce: number;
  /** SQL of what a row `r` counts for, where that is not 1. */
  weight?: string;
  table: string;
  /** Before the first id. */
  firstId: string;
  idType: 'uuid' | 'bigint';
  /** SQL of whether a row `r` may go; `$1` is the number of days. */
  isOld: string;
}

const NO_UUID = '00000000-0000-0000-0000-000000000000';

/**
 * Everything that may be pruned: a line for each. What a collection shows stays, with the job that made it, and so does
 * whatever a file of anybody was made by; the ledger knows jobs by their ids alone, and is never touched. Idempotency
 * keys, webhooks received and stream tokens end by themselves, after times that are part of what the API promises.
 */
export const prunables = (environment: Environment): Prunable[] => [
  {
    name: 'jobs', keepDays: environment.KEEP_JOBS_DAYS, atOnce: 2_000, weight: 'r.generations', table: 'job',
    firstId: NO_UUID, idType: 'uuid', isOld: `
      r.status in ('completed', 'failed', 'cancelled') and r.completed_at < now() - make_interval(days => $1)
        and (r.completed = 0 or r.collection_id is null)
        and not exists (select from flat_file f where f.job_id = r.id and f.deleted_at is null)
        and not exists (select from flat_file f join generation g on g.id = f.generation_id
                         where g.job_id = r.id and f.deleted_at is null)
        and not exists (select from image_generation i where i.id = r.id and i.deleted_at is null)
        and not exists (select from webhook w where w.job_id = r.id and w.watched)
        and not exists (select from delivery d where d.job_id = r.id and d.status = 'pending')`,
  },
  {
    name: 'deliveries', keepDays: environment.KEEP_DELIVERIES_DAYS, atOnce: 1_000, table: 'delivery', firstId: NO_UUID,
    idType: 'uuid', isOld: `r.status <> 'pending' and r.created_at < now() - make_interval(days => $1)`,
  },
  {
    name: "operators' actions", keepDays: environment.KEEP_ACTIONS_DAYS, atOnce: 1_000, table: 'operator_action',
    firstId: '0', idType: 'bigint', isOld: 'r.at < now() - make_interval(days => $1)',
  },
  {
    name: 'lifted pauses', keepDays: environment.KEEP_ACTIONS_DAYS, atOnce: 100, table: 'pause', firstId: NO_UUID,
    idType: 'uuid',
    isOld: `r.lifted_at < now() - make_interval(days => $1)
        and not exists (select from generation g where g.paused_by = r.id)`,
  },
];
