/** What a submission costs, in credits. */
export class CostBreakdownAnswer {
  /** `workflow_base_cost` and `per_generation` for each generation. */
  total_credits: number;
  per_generation: number;
  workflow_base_cost: number;
}

export class SubmissionUrls {
  collection_url: string;
  job_status_url: string;
  job_events_url: string;
}

/** What a submission made. */
export class SubmissionAnswer {
  collection_id: string;
  job_id: string;
  project_id: string;
  /** `pending`; with `Prefer: wait=n` what the job has come to. */
  status: 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled';
  /** Seconds. */
  estimated_duration: number;
  cost_breakdown: CostBreakdownAnswer;
  urls: SubmissionUrls;
}
