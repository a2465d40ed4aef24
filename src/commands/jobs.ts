import type { JobSummaryAnswer, Platen } from '#libs/client/index.js';
import { saveEditions } from '../editions/edition-files.js';
import { assertWhole, followJob, readJob } from '../editions/follow-job.js';
import { take } from '../listing.js';
import { printLines, printTable } from '../table.js';
import { summaryOf } from './generate.js';

export interface WatchOptions {
  out?: string;
  json?: true;
}

export interface ListOptions {
  status?: JobSummaryAnswer['status'];
  limit: number;
  json?: true;
}

const PAGE = 100;

/**
 * `platen jobs watch <id>`: follows a job to its end, also one that has ended; with `--out` it writes what was made.
 * As JSON: its events, one on each line.
 */
export async function watchJob(client: Platen, id: string, { out, json }: WatchOptions): Promise<void> {
  const job = json ? await printEvents(client, id) : await followJob(client, id);
  const files = out === undefined ? [] : await saveEditions(client, job, out);
  if (!json) printLines([...files.map(({ path }) => path), summaryOf(job)]);
  assertWhole(job);
}

/** `platen jobs list`: one's own jobs, the newest first. */
export async function listJobs(client: Platen, { status, limit, json }: ListOptions): Promise<void> {
  const query = { limit: Math.min(limit, PAGE), ...(status && { status }) };
  const jobs = await take(client.list('/jobs', { query }), limit);
  if (json) return printLines([JSON.stringify(jobs)]);
  printTable(['job', 'status', 'done', 'credits', 'created', 'name'], jobs.map(rowOf));
}

async function printEvents(client: Platen, id: string) {
  for await (const event of client.watch(id)) printLines([JSON.stringify(event)]);
  return readJob(client, id);
}

const rowOf = ({ id, status, paused, counts, cost, created_at: created, name }: JobSummaryAnswer): string[] =>
  [id, paused ? `${status}, paused` : status, `${counts.completed} of ${counts.total}`, String(cost.captured), minuteOf(created), name];

const minuteOf = (time: string): string => time.slice(0, 'yyyy-mm-ddThh:mm'.length).replace('T', ' ');
