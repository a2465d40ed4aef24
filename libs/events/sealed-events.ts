import type { Queryable } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { isSealed, isSealedName, type CollectionSeal, type Opener } from '#libs/encryption/collection-seal.js';
import { openedError } from '#libs/encryption/sealed-error.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { EventDetail } from './job-event.js';

/** All else that an event says is of the set, or of what came of it. `alias` and `error` are sealed by themselves. */
const CLEAR = [
  'status', 'generation_id', 'generation_index', 'hash', 'step_id', 'node', 'alias', 'progress', 'message', 'attempt',
  'retry_at', 'error',
];

const placeOf = (jobId: string): string => `event/${jobId}`;

/** An event as its row keeps it. */
export function storedEvent(seal: CollectionSeal | undefined, jobId: string, detail: EventDetail): EventDetail {
  if (!seal) return detail;
  const named = detail.alias === undefined ? detail : { ...detail, alias: seal.closeName(detail.alias) };
  if (Object.keys(named).every((name) => CLEAR.includes(name))) return named;
  return seal.closeMembers(named as unknown as JsonObject, CLEAR, placeOf(jobId)) as EventDetail;
}

interface StoredEvent {
  job_id: string;
  data: object;
}

/** Events of any jobs as they were. Where none looks sealed nothing is asked for. Throws `KeyUnavailable`. */
export async function openedEvents<Row extends StoredEvent>(
  db: Queryable,
  keys: CollectionKeys,
  rows: Row[],
): Promise<Row[]> {
  const sealed = rows.filter(({ data }) => looksSealed(data));
  if (sealed.length === 0) return rows;
  const jobs = await db.query<{ id: string; collection_id: string | null }>(
    'select id, collection_id from job where id = any($1) and encrypted', [sealed.map(({ job_id }) => job_id)],
  );
  const openers = new Map<string, Opener>();
  for (const { id, collection_id } of jobs) openers.set(id, await keys.opener(collection_id));
  return rows.map((row) => {
    const opener = openers.get(row.job_id);
    return opener ? { ...row, data: openedEvent(opener, row) } : row;
  });
}

/** A step of any job may have such a name: the job's row decides. */
const looksSealed = (data: EventDetail): boolean =>
  isSealed(data) || isSealed(data.error) || (data.alias !== undefined && isSealedName(data.alias));

function openedEvent(opener: Opener, { job_id, data }: StoredEvent): EventDetail {
  const told = isSealed(data) ? opener.openMembers(data as unknown as JsonObject, placeOf(job_id)) : data;
  const { alias, error, ...detail } = told as EventDetail;
  const name = alias === undefined ? null : opener.openName(alias);
  return { ...detail, ...(name !== null && { alias: name }), ...(error && { error: openedError(opener, error) }) };
}
