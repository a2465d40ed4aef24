import { v7 as uuidv7 } from 'uuid';
import type { Plan } from '#libs/credits/plans.js';
import { costBreakdown, type Price } from '#libs/credits/pricing.js';
import type { CollectionSeal } from '#libs/encryption/collection-seal.js';
import { lanesOf } from '#libs/instruction-set/check.js';
import type { InstructionSet } from '#libs/instruction-set/instruction-set.js';
import { withPins, type StepNodes } from '#libs/workflows/step-workflows.js';
import type { JobLabels, JobOptions, JobSubmission } from './job-submission.js';

export interface CollectionJobParts extends JobLabels {
  userId: string;
  plan: Plan;
  /** Null: it is of none. */
  collectionId: string | null;
  workflow: { id: string; version: number } | null;
  name: string;
  description: string | null;
  type: JobSubmission['type'];
  priority: number;
  options: JobOptions;
  /** One generation is made for each of its hashes. */
  set: InstructionSet;
  price: Price;
  /** Set: the collection is encrypted. */
  seal?: CollectionSeal | null;
}

/** The job that makes a set's editions. */
export function collectionJob({ set, ...parts }: CollectionJobParts, nodes: StepNodes): JobSubmission {
  const { hashes } = set.generations;
  return {
    ...parts,
    id: uuidv7(),
    face: 'collections',
    starts: true,
    instructionSet: withPins(set, nodes.workflows),
    lane: lanesOf(set, nodes.registry),
    generations: hashes.map((hash) => ({ id: uuidv7(), hash })),
    breakdown: costBreakdown(parts.price, hashes.length),
  };
}
