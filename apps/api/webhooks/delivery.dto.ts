/** What became of telling a webhook of one event. */
export class DeliveryAnswer {
  /** The `webhook-id` that the receiver sees, the same in every attempt. */
  id: string;
  /** Type of the event. */
  event: string;
  /** Number of the event in its job. */
  seq: number;
  /** `failed`: not taken within a day. `disabled`: the address has answered 410. */
  status: 'pending' | 'delivered' | 'failed' | 'disabled';
  attempts: number;
  /** Status of the last answer; null: there was none. */
  last_status: number | null;
  last_error: string | null;
  /** While it is pending. */
  next_attempt_at: Date | null;
  delivered_at: Date | null;
  created_at: Date;
}

export class WebhookSecretAnswer {
  /** `whsec_…`, as libraries of Standard Webhooks take it. */
  secret: string;
  created_at: Date;
  /** Until when the secret before signs along, too. */
  previous_expires_at: Date | null;
}
