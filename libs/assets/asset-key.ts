import { randomUUID } from 'node:crypto';

/** The place of one asset: which output of which step of which edition. */
export interface AssetSlot {
  userId: string;
  jobId: string;
  generationId: string;
  stepId: string;
  /** Position among the step's assets. */
  index: number;
}

/**
 * Key of a generated file: ids and content only, so that a retry lands on itself and a row never points
 * at the bytes of another attempt.
 */
export const generatedKey = (slot: AssetSlot, sha256: string, extension: string): string =>
  `generations/${slot.userId}/${slot.jobId}/${slot.generationId}/${slot.stepId}/` +
  `${slot.index}-${sha256.slice(0, 16)}.${extension}`;

/** Key of an uploaded file. Never the same twice: deleting one upload leaves its equals alone. */
export const uploadKey = (userId: string, extension: string): string =>
  `uploads/${userId}/${randomUUID()}.${extension}`;
