import { IsUUID } from 'class-validator';
import { MayBeAbsent } from '../http/body-fields.js';

export class ReplicateWebhookQuery {
  /** Which attempt's prediction it is, for a report that comes before the prediction is known by its id. */
  @MayBeAbsent() @IsUUID('loose')
  step?: string;
}
