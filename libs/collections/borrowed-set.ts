import { NIL } from 'uuid';
import { AssetInputs } from '#libs/assets/asset-inputs.js';
import type { Queryable } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import type { CollectionSeal } from '#libs/encryption/collection-seal.js';
import { FILES } from '#libs/encryption/sealed-set.js';
import type { InstructionSet, Json } from '#libs/instruction-set/instruction-set.js';
import { namedFiles } from '#libs/instruction-set/named-files.js';

/**
 * Kept with a set that was another's. It runs with the rights of whoever runs it, so a file that it names, or
 * computes, may be theirs without their knowing: only `files` may reach theirs, and what they submit as variables.
 */
export interface Borrowed {
  /** The collection that it was taken from. */
  collection_id: string | null;
  /** Texts that name files: public ones when it was taken, and those that its new owner wrote into it since. */
  files: string[];
}

const PLACE = 'borrowed';

/** As rows keep it. */
export const storedBorrowed = (seal: CollectionSeal | null | undefined, borrowed: Borrowed): object =>
  seal ? seal.close(borrowed as unknown as Json, PLACE) : borrowed;

export const openedBorrowed = <Stored extends Borrowed | null>(seal: CollectionSeal | null, stored: Stored): Stored =>
  seal && stored ? (seal.open(stored as unknown as Json, PLACE) as unknown as Stored) : stored;

/** For a set that is taken from another's collection. */
export async function borrow(db: Queryable, collectionId: string | null, set: InstructionSet): Promise<Borrowed> {
  const open = await new AssetInputs(db).find(NIL, namesIn(set));
  return { collection_id: collectionId, files: [...open.keys()] };
}

/**
 * For a set that is taken from a file of one's own: it is another's still where the job that made the file ran with
 * another's, and names no more files of one's own than it did.
 */
export async function borrowedIn(
  db: Queryable,
  { job_id, collection_id, encrypted }: { job_id: string | null; collection_id: string | null; encrypted: boolean },
  keys: CollectionKeys,
): Promise<Borrowed | null> {
  const [job] = await db.query<{ files: Json }>(`select options -> 'files' as files from job where id = $1`, [job_id]);
  if (!job?.files) return null;
  const files = encrypted ? (await keys.opener(collection_id)).open(job.files, FILES) : job.files;
  return { collection_id, files: (files ?? []) as string[] };
}

/** After its new owner has saved it as `after`: what was not in it before is theirs. */
export function borrowedAfter(borrowed: Borrowed, before: InstructionSet, after: InstructionSet): Borrowed {
  const known = new Set(namesIn(before));
  const allowed = new Set(borrowed.files);
  return { ...borrowed, files: namesIn(after).filter((name) => allowed.has(name) || !known.has(name)) };
}

const namesIn = ({ steps, variables }: InstructionSet): string[] =>
  namedFiles([...steps.map(({ nodePayload }) => nodePayload), variables as Json]);
