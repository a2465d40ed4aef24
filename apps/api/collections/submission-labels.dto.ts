import { IsString, Length } from 'class-validator';
import { IsTags, IsWebhookEvents, IsWebhookUrl, MayBeAbsent } from './fields.js';

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
  @MayBeAbsent() @IsWebhookEvents()
  webhook_events?: string[];
}
