import type { Plan } from '#libs/credits/plans.js';
import type { CostBreakdown, Price } from '#libs/credits/pricing.js';
import type { CollectionSeal } from '#libs/encryption/collection-seal.js';
import type { InstructionSet } from '#libs/instruction-set/instruction-set.js';
import type { Lane } from '#libs/nodes/node.js';

/** What one submission may say about its job beside what is to be made. */
export interface JobLabels {
  tags: string[];
  externalId: string | null;
  /** Whom to tell of which recorded events. */
  webhook: { url: string; events: string[] } | null;
}

/** What the engine and the reconciler do with a job's results. */
export interface JobOptions {
  auto_publish?: boolean;
  /** False: no thumbnails are made, and so no cover. */
  generate_preview?: boolean;
  save_intermediate_outputs?: boolean;
  /** Its images are encoded as JPEG, and public to whoever knows their URL. */
  renders?: boolean;
  /**
   * The texts that may name a file: those that the submitter brought. Absent: any, for the whole set is theirs. What
   * another's workflow names or computes must not reach the submitter's files.
   */
  files?: string[];
  /** The span of its submission, as a W3C `traceparent`: what workers do for it is part of that trace. */
  trace?: string;
}

/** Generations of v1 and two-step count against their plan's `monthlyGenerations`. */
export const isMetered = ({ face }: Pick<JobSubmission, 'face'>): boolean => face !== 'collections';

/** And, once they are begun, against its `maxInFlight` instead of its `maxOpenGenerations`. */
export const isInFlight = (job: Pick<JobSubmission, 'face' | 'starts'>): boolean => isMetered(job) && job.starts;

/** A checked and priced piece of work. Ids are fixed beforehand, so that writing it can be tried again. */
export interface JobSubmission extends JobLabels {
  id: string;
  userId: string;
  /** Its row is written, and locked if others could know it, before the job's. */
  collectionId: string | null;
  workflow: { id: string; version: number } | null;
  name: string;
  description: string | null;
  type: 'collection_auto_generation' | 'collection_generation' | 'workflow_test' | 'asset_rerender' | 'image_generation';
  face: 'collections' | 'two_step' | 'v1';
  /** False: its generations wait until their user begins them. */
  starts: boolean;
  /** 1–100 as asked for; the plan may cap it. */
  priority: number;
  plan: Plan;
  /** The job's own copy: the engine never reads the collection's. */
  instructionSet: InstructionSet;
  /** Set: its collection is encrypted. */
  seal?: CollectionSeal | null;
  options: JobOptions;
  lane: Lane;
  generations: Array<{ id: string; hash: string }>;
  /** `perGeneration` is reserved for each; `base` once, and spent with the first generation that succeeds. */
  price: Price;
  breakdown: CostBreakdown;
}
