import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { AUDIT_RULES } from './audit-rules.js';

export interface Violation {
  rule: string;
  /** What it is about, and what is wrong with it. */
  subject: string;
  found: string;
}

export interface AuditReport {
  rules: number;
  /** Rows and files that were looked at. */
  checked: Record<string, number>;
  violations: Violation[];
}

/** Where the bytes of files lie on this machine, whatever the product says of them. */
export interface StoredFiles {
  /** Null: there is no such file. */
  pathOf(key: string): string | null;
}

/** Those of the local storage driver. */
export const filesIn = (folder: string): StoredFiles => ({ pathOf: (key) => join(folder, key) });

export interface AuditedRun {
  database: pg.Client | pg.Pool;
  files: StoredFiles;
  /** Jobs that clients hold a receipt of. Given, a job that nobody knows is a violation, too. */
  accepted?: Iterable<string>;
}

/** Violations told per rule. */
const TOLD = 20;

/**
 * Looks at everything a storm has left, once all of it should have ended: books, states, events, steps,
 * assets and their files. Reads only. It trusts nothing of the product but its schema.
 */
export async function audit({ database, files, accepted }: AuditedRun): Promise<AuditReport> {
  const violations: Violation[] = [];
  for (const { rule, sql } of AUDIT_RULES) {
    const { rows } = await database.query<{ subject: string; found: string }>(`${sql} limit ${TOLD}`);
    violations.push(...rows.map(({ subject, found }) => ({ rule, subject, found })));
  }
  violations.push(...(await fileViolations(database, files)));
  if (accepted) violations.push(...(await receiptViolations(database, new Set(accepted))));
  return { rules: AUDIT_RULES.length + (accepted ? 3 : 1), checked: await counts(database), violations };
}

async function counts(database: AuditedRun['database']): Promise<Record<string, number>> {
  const tables = ['job', 'generation', 'step_run', 'job_history', 'credit_entry', 'flat_file'];
  const { rows } = await database.query<Record<string, string>>(
    `select ${tables.map((table) => `(select count(*) from ${table}) as ${table}`).join(', ')}`,
  );
  return Object.fromEntries(Object.entries(rows[0] ?? {}).map(([table, count]) => [table, Number(count)]));
}

/** Every file that a row names must lie there with the bytes it had. */
async function fileViolations(database: AuditedRun['database'], files: StoredFiles): Promise<Violation[]> {
  const { rows } = await database.query<{ id: string; storage_key: string; sha256: string; size: string }>(
    'select id, storage_key, sha256, size from flat_file where deleted_at is null order by id',
  );
  const violations: Violation[] = [];
  for (const { id, storage_key, sha256, size } of rows) {
    const found = await digestOf(files.pathOf(storage_key));
    const subject = `file ${id} at ${storage_key}`;
    if (found === null) violations.push({ rule: 'asset without its object', subject, found: 'no such object' });
    else if (found.sha256 !== sha256 || found.size !== Number(size)) {
      violations.push({ rule: 'asset with other bytes', subject, found: `${found.size} bytes, ${found.sha256}` });
    }
  }
  return violations.slice(0, TOLD);
}

async function digestOf(path: string | null): Promise<{ sha256: string; size: number } | null> {
  if (path === null) return null;
  const hash = createHash('sha256');
  let size = 0;
  try {
    await pipeline(createReadStream(path), async (bytes: AsyncIterable<Buffer>) => {
      for await (const piece of bytes) {
        hash.update(piece);
        size += piece.length;
      }
    });
  } catch {
    return null;
  }
  return { sha256: hash.digest('hex'), size };
}

/** Receipts and jobs are the same set: none is lost, none is a phantom. */
async function receiptViolations(
  database: AuditedRun['database'],
  accepted: Set<string>,
): Promise<Violation[]> {
  const { rows } = await database.query<{ id: string }>('select id from job');
  const known = new Set(rows.map(({ id }) => id));
  const lost = [...accepted].filter((id) => !known.has(id));
  const phantoms = [...known].filter((id) => !accepted.has(id));
  return [
    ...lost.map((id) => ({ rule: 'accepted job lost', subject: `job ${id}`, found: 'no row' })),
    ...phantoms.map((id) => ({ rule: 'phantom job', subject: `job ${id}`, found: 'no client has its receipt' })),
  ].slice(0, TOLD);
}
