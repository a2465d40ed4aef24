import type { JobLabels } from './job-submission.js';

/** What each submission of the collections face may say about its job, as in its body. */
export interface SubmissionLabels {
  tags?: string[];
  external_id?: string;
  webhook_url?: string;
  webhook_events?: string[];
}

/** Events that a webhook tells of unless others are asked for: how the job ended. */
export const DEFAULT_WEBHOOK_EVENTS = ['job_completed', 'job_failed', 'job_cancelled'];

export const jobLabels = ({ tags, external_id, webhook_url, webhook_events }: SubmissionLabels): JobLabels => ({
  tags: tags ?? [],
  externalId: external_id ?? null,
  webhook: webhook_url === undefined ? null : { url: webhook_url, events: webhook_events ?? DEFAULT_WEBHOOK_EVENTS },
});
