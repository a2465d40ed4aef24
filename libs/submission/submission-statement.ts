import { collectionCtes, collectionRow, type NewCollection } from '#libs/collections/new-collection.js';
import { appendCtes, movementRows, movementsSql, type Hold, holdMovements } from '#libs/credits/ledger.js';
import { monthOf } from '#libs/credits/usage.js';
import { prepared } from '#libs/database/prepared.js';
import { storedSet } from '#libs/encryption/sealed-set.js';
import { storedFiles } from '#libs/generations/sealed-steps.js';
import { standOf } from '#libs/generations/turns.js';
import { currentTrace } from '#libs/tracing/current-trace.js';
import { isInFlight, isMetered, type JobSubmission } from './job-submission.js';
import type { KeptAnswer } from './kept-answer.js';

/** A job's set but for the versions it is bound to: the collection's steps name what is there when they run. */
const COLLECTION_SET = `($2::jsonb - 'workflows')`;

/** Of the month that it is now; a submission that began in the last one counts for the one it is recorded in. */
const USED = 'case when account.usage_month >= stand.month then account.usage_generations else 0 end';

/** A submission on its own: the collection is there, the caller's transaction holds it. */
export const SUBMIT = prepared('submit', statement([]));
/** With its collection. */
export const SUBMIT_COLLECTION = prepared('submit_collection', statement([collectionCtes('$6', COLLECTION_SET, 'changed')]));
/** With its collection and the answer that is kept under the request's key. */
export const SUBMIT_COLLECTION_ONCE = prepared('submit_collection_once', statement([
  collectionCtes('$6', COLLECTION_SET, 'changed'),
  keptAnswerCte('$7', 'changed'),
]));

/** `$1` to `$5`. */
export const submissionParameters = (job: JobSubmission, hold: Hold): unknown[] => [
  JSON.stringify({
    user_id: job.userId,
    job_id: job.id,
    collection_id: job.collectionId,
    workflow_id: job.workflow?.id,
    workflow_version: job.workflow?.version,
    name: job.name,
    description: job.description,
    job_type: job.type,
    priority: Math.min(job.priority, job.plan.maxPriority),
    options: storedOptions(job),
    encrypted: Boolean(job.seal),
    tags: job.tags,
    external_id: job.externalId,
    webhook: job.webhook && { ...job.webhook, host: new URL(job.webhook.url).host },
    base_price: job.price.base.toString(),
    price: job.price.perGeneration.toString(),
    lane: job.lane,
    face: job.face,
    count: job.generations.length,
    starts: job.starts,
    in_flight: isInFlight(job),
    max_open: isInFlight(job) ? job.plan.maxInFlight : job.plan.maxOpenGenerations,
    quota: isMetered(job) ? job.plan.monthlyGenerations : null,
  }),
  JSON.stringify(storedSet(job.seal, job.instructionSet)),
  movementRows(holdMovements(hold)),
  job.generations.map(({ id }) => id),
  job.generations.map(({ hash }) => hash),
];

function storedOptions({ seal, options }: JobSubmission): object {
  const trace = currentTrace();
  return {
    ...options,
    ...(options.files && { files: storedFiles(seal, options.files) }),
    ...(trace !== undefined && { trace }),
  };
}

/** `$6`. The collection's set is made of the job's. */
export const collectionParameter = (collection: NewCollection): string => collectionRow(collection);

/** `$7`. */
export const keptAnswerParameter = (answer: KeptAnswer): string => JSON.stringify(answer);

/** An answer kept under the same key already breaks the unique index, and with it the whole statement. */
function keptAnswerCte(answer: string, on: string): string {
  return `
  kept_answer as (
    insert into idempotency_key (user_id, route, key, fingerprint, status, body)
    select ${on}.user_id, a.route, a.key, a.fingerprint, a.status, a.body
      from ${on}, jsonb_to_record(${answer}::jsonb) as a (
             route text, key text, fingerprint text, status integer, body text)
  )`;
}

/**
 * One statement for all rows of a submission. The hold comes first, and everything else depends on its
 * row: an account that cannot cover it leaves no trace. From there on the account's lock puts a user's
 * submissions in line. All later rows are new, nobody else can hold them, so the order of locks is kept.
 *
 * Turns make users alternate within a lane and priority. A user who has nothing open starts where the
 * lane stands: at the turn of its next claim, or behind its last one when none is pending. Who has goes on
 * after their own last turn, which the locked account row knows. What does not start yet has no turn.
 */
function statement(parts: string[]): string {
  return `
  with s as (
    select * from jsonb_to_record($1::jsonb) as s (
      user_id uuid, job_id uuid, collection_id uuid, workflow_id uuid, workflow_version integer, name text,
      description text, job_type text, priority integer, options jsonb, tags text[], external_id text, webhook jsonb,
      base_price bigint, price bigint, lane text, face text, count integer, starts boolean,
      in_flight boolean, max_open integer, quota integer, encrypted boolean)
  ), stand as (
    select ${standOf({ lane: 's.lane', priority: 's.priority' })} as turn, ${monthOf('now()')} as month
      from s
  ), movement as (${movementsSql('$3')}), ${appendCtes({
    user: 's.user_id',
    from: ', s, stand',
    opens: 'case when s.in_flight then 0 else s.count end',
    flies: 'case when s.in_flight then s.count else 0 end',
    and: `case when s.in_flight then account.in_flight else account.open_generations end + s.count <= s.max_open
       and (s.quota is null or ${USED} + s.count <= s.quota)`,
    set: `,
           usage_month = case when s.quota is null then account.usage_month else greatest(account.usage_month, stand.month) end,
           usage_generations = case when s.quota is null then account.usage_generations else ${USED} + s.count end,
           last_turns = account.last_turns || case when s.starts then jsonb_build_object(
             s.lane, s.count + greatest(stand.turn,
               case when account.open_generations + account.in_flight > 0 then (account.last_turns ->> s.lane)::bigint end))
             else '{}' end`,
  })}, ${parts.map((part) => `${part}, `).join('')}job_row as (
    insert into job (
      id, user_id, collection_id, workflow_id, workflow_version, name, description, job_type, priority,
      instruction_set, options, tags, external_id, seq, generations, base_price, face, in_flight,
      encrypted)
    select s.job_id, s.user_id, s.collection_id, s.workflow_id, s.workflow_version, s.name, s.description,
           s.job_type, s.priority, $2::jsonb, s.options, s.tags, s.external_id, 1, s.count, s.base_price,
           s.face, s.in_flight, s.encrypted
      from s cross join changed
  ), generation_row as (
    insert into generation (id, job_id, user_id, index, hash, lane, priority, turn, price, wake_at)
    select g.id, s.job_id, s.user_id, g.position - 1, g.hash, s.lane, s.priority,
           case when s.starts then (changed.last_turns ->> s.lane)::bigint - s.count + g.position else 0 end, s.price,
           case when s.starts then now() end
      from s cross join changed cross join unnest($4::uuid[], $5::text[]) with ordinality as g (id, hash, position)
  ), webhook_row as (
    insert into webhook (job_id, user_id, url, host, events)
    select s.job_id, s.user_id, s.webhook ->> 'url', s.webhook ->> 'host',
           array(select jsonb_array_elements_text(s.webhook -> 'events'))
      from s cross join changed where s.webhook is not null
  ), usage as (
    insert into usage_entry (user_id, face, job_id, key, generations, created_at)
    select s.user_id, s.face, s.job_id, 'job:' || s.job_id || ':submit', s.count,
           case when s.quota is null then now() else greatest(now(), changed.usage_month::timestamp at time zone 'UTC') end
      from s cross join changed
  )
  insert into job_history (job_id, seq, user_id, type, data)
  select s.job_id, 1, s.user_id, 'job_queued', '{"status": "pending"}' from s cross join changed
  returning at`;
}
