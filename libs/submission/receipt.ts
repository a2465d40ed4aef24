import { collectionUrl } from '#libs/collections/collection.js';
import type { CostBreakdown } from '#libs/credits/pricing.js';
import type { JobSubmission } from './job-submission.js';

/** What a submission answers with: `data` of the 201. */
export interface SubmissionReceipt {
  collection_id: string;
  job_id: string;
  project_id: string;
  status: string;
  /** Seconds. */
  estimated_duration: number;
  cost_breakdown: CostBreakdown;
  urls: { collection_url: string; job_status_url: string; job_events_url: string };
}

export const receiptOf = (
  job: JobSubmission,
  collection: { id: string; projectId: string },
  estimatedDuration: number,
): SubmissionReceipt => ({
  collection_id: collection.id,
  job_id: job.id,
  project_id: collection.projectId,
  status: 'pending',
  estimated_duration: estimatedDuration,
  cost_breakdown: job.breakdown,
  urls: {
    collection_url: collectionUrl(collection.id),
    job_status_url: `/jobs/${job.id}`,
    job_events_url: `/jobs/${job.id}/events`,
  },
});
