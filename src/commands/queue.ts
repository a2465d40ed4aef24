import { setTimeout as delay } from 'node:timers/promises';
import type { RecordedAction } from '#libs/operators/operator-log.js';
import type { Pause } from '#libs/operators/pauses.js';
import type { OperatedJob, PauseState, Running, Waiting } from '#libs/operators/queue-view.js';
import { CommandFailure } from '../command-failure.js';
import { printLines, printTable } from '../table.js';

/** What these commands need of a client: `data` of a call. */
export interface QueueRequests {
  request<Data>(method: 'get' | 'post' | 'delete', path: string, options?: { body?: object }): Promise<Data>;
}

interface Shown {
  json?: true;
}

interface Target {
  scope: string;
  subject?: string;
}

interface Page<Item> {
  items: Item[];
}

export interface PauseOptions extends Target, Shown {
  mode: 'pause' | 'drain';
  reason: string;
  until?: string;
  wait?: true;
}

export interface JobOptions extends Shown {
  job: string;
  index?: string;
}

const LOOK_MS = 1_000;

/** `platen queue status` */
export async function showStatus(server: QueueRequests, { json }: Shown): Promise<void> {
  const { lanes, pauses } = await overviewOf(server);
  if (json) return printLines([JSON.stringify({ lanes, pauses })]);
  printWaiting('lane', lanes);
  if (pauses.length === 0) return printLines(['', 'Nothing is paused.']);
  printLines(['']);
  printTable(
    ['paused', 'how', 'holds', 'goes on', 'since', 'until', 'by', 'why'],
    pauses.map((pause) => [
      nameOf(pause), pause.mode, String(pause.holds), String(pause.goes_on), timeOf(pause.created_at), timeOf(pause.until),
      pause.created_by, pause.reason,
    ]),
  );
}

/** `platen queue waiting` */
export async function showWaiting(server: QueueRequests, { by, json }: Shown & { by: string }): Promise<void> {
  const { items } = await server.request<Page<Waiting>>('get', `/admin/queue/waiting?by=${by}&limit=100`);
  return json ? printLines([JSON.stringify(items)]) : printWaiting(by, items);
}

/** `platen queue running` */
export async function showRunning(server: QueueRequests, { json }: Shown): Promise<void> {
  const { items } = await server.request<Page<Running>>('get', '/admin/queue/running?limit=1000');
  if (json) return printLines([JSON.stringify(items)]);
  printTable(
    ['job', 'index', 'lane', 'nodes', 'worker', 'lease until', 'began'],
    items.map(({ job_id, index, lane, nodes, worker, lease_until, started_at }) => [
      job_id, String(index), lane, nodes.join(', '), worker ?? '', timeOf(lease_until), timeOf(started_at),
    ]),
  );
}

/** `platen queue pause` and `platen queue drain` */
export async function pauseWork(server: QueueRequests, { json, wait, ...options }: PauseOptions): Promise<void> {
  const { scope, subject, mode, reason, until } = options;
  const body = { scope, mode, reason, ...(subject !== undefined && { subject }), ...(until !== undefined && { until }) };
  const made = await server.request<Pause>('post', '/admin/queue/pauses', { body });
  if (wait) await untilDrained(server, made.id);
  const done = mode === 'drain' ? 'is being drained' : 'is paused';
  printLines([json ? JSON.stringify(made) : `${nameOf(made)} ${wait ? 'stands still' : done}.`]);
}

/** `platen queue resume` */
export async function resumeWork(server: QueueRequests, { scope, subject = '', json }: Target & Shown): Promise<void> {
  const { pauses } = await overviewOf(server);
  const standing = pauses.find((one) => one.scope === scope && one.subject === subject.toLowerCase());
  if (!standing) throw new CommandFailure(`${nameOf({ scope, subject })} is not paused.`);
  const lifted = await server.request<Pause>('delete', `/admin/queue/pauses/${standing.id}`);
  printLines([json ? JSON.stringify(lifted) : `${nameOf(lifted)} goes on.`]);
}

/** `platen queue cancel` */
export async function cancel(server: QueueRequests, { reason, ...options }: JobOptions & { reason: string }): Promise<void> {
  await onJob(server, options, 'cancel', { reason });
}

/** `platen queue retry` */
export async function retry(server: QueueRequests, options: JobOptions): Promise<void> {
  await onJob(server, options, 'retry', {});
}

/** `platen queue move` */
export async function move(server: QueueRequests, { priority, ...options }: JobOptions & { priority: number }): Promise<void> {
  await onJob(server, options, 'priority', { priority });
}

/** `platen queue log` */
export async function showLog(server: QueueRequests, { json }: Shown): Promise<void> {
  const { items } = await server.request<Page<RecordedAction>>('get', '/admin/queue/actions?limit=100');
  if (json) return printLines([JSON.stringify(items)]);
  const texts = (values: Record<string, unknown>) =>
    Object.entries(values).map(([name, value]) => `${name} ${String(value)}`).join(', ');
  printTable(
    ['when', 'who', 'did', 'to', ''],
    items.map(({ at, user_id, verb, target, details }) => [timeOf(at), user_id, verb, texts(target), texts(details)]),
  );
}

async function onJob(server: QueueRequests, { job, index, json }: JobOptions, verb: string, body: object): Promise<void> {
  const one = index === undefined ? '' : `/generations/${encodeURIComponent(index)}`;
  const path = `/admin/queue/jobs/${encodeURIComponent(job)}${one}/${verb}`;
  const after = await server.request<OperatedJob>('post', path, { body });
  const { status, priority, completed, generations } = after;
  const text = `The job is ${status}, ${completed} of ${generations} generations are completed; priority ${priority}.`;
  printLines([json ? JSON.stringify(after) : text]);
}

const overviewOf = (server: QueueRequests) =>
  server.request<{ lanes: Waiting[]; pauses: PauseState[] }>('get', '/admin/queue');

/** As long as it takes: what has begun may have half an hour. Ctrl-C ends the waiting, not the pause. */
async function untilDrained(server: QueueRequests, id: string): Promise<void> {
  for (;;) {
    const { pauses } = await overviewOf(server);
    const standing = pauses.find((one) => one.id === id);
    if (!standing) throw new CommandFailure('It was lifted meanwhile.');
    if (standing.goes_on === 0) return;
    await delay(LOOK_MS);
  }
}

function printWaiting(what: string, rows: Waiting[]): void {
  printTable(
    [what, 'ready', 'oldest', 'waiting', 'running', 'paused', 'oldest of all'],
    rows.map((row) => [
      row.name ?? row.subject ?? '(no workflow)', String(row.ready), ageOf(row.oldest_ready_seconds), String(row.waiting),
      String(row.running), String(row.paused), ageOf(row.oldest_seconds),
    ]),
  );
}

const nameOf = ({ scope, subject }: Target): string => (scope === 'all' ? 'Everything' : `${scope} ${subject ?? ''}`.trim());

/** Times come as texts. */
const timeOf = (time: Date | string | null): string => (time === null ? '' : new Date(time).toISOString().slice(0, 19) + 'Z');

function ageOf(seconds: number | null): string {
  if (seconds === null) return '';
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`;
}
