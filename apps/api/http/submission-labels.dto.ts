import { IsString, Length } from 'class-validator';
import { jobLabels } from '#libs/submission/job-labels.js';
import type { JobLabels } from '#libs/submission/job-submission.js';
import { IsTags, IsWebhookEvents, IsWebhookUrl, MayBeAbsent } from './body-fields.js';

/** What each submission may say about its job. */
export class SubmissionLabelsBody {
  @MayBeAbsent() @IsTags()
  tags: string[] = [];

  /** Your own id of this submission, for `GET /jobs?external_id=`. */
  @MayBeAbsent() @IsString() @Length(1, 200)
  external_id?: string;

  /** Is told of the job's events, signed as Standard Webhooks. A public http(s) address, at most 2,048 characters. */
  @MayBeAbsent() @IsWebhookUrl()
  webhook_url?: string;

  /** Of which recorded events it is told. Default: `job_completed`, `job_failed`, `job_cancelled`. */
  @MayBeAbsent() @IsWebhookEvents('webhook_url')
  webhook_events?: string[];
}

/** The same on the faces that speak camelCase. */
export class CamelCaseLabelsBody {
  @MayBeAbsent() @IsTags()
  tags: string[] = [];

  /** Your own id of this submission, for `GET /jobs?external_id=`. */
  @MayBeAbsent() @IsString() @Length(1, 200)
  externalId?: string;

  /** Is told of the job's events, signed as Standard Webhooks. A public http(s) address, at most 2,048 characters. */
  @MayBeAbsent() @IsWebhookUrl()
  webhookUrl?: string;

  /** Of which recorded events it is told. Default: `job_completed`, `job_failed`, `job_cancelled`. */
  @MayBeAbsent() @IsWebhookEvents('webhookUrl')
  webhookEvents?: string[];
}

export const labelsOf = ({ tags, externalId, webhookUrl, webhookEvents }: CamelCaseLabelsBody): JobLabels =>
  jobLabels({ tags, external_id: externalId, webhook_url: webhookUrl, webhook_events: webhookEvents });
