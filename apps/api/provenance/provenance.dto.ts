import type { Variables } from '#libs/instruction-set/instruction-set.js';
import type { Obstacle } from '#libs/provenance/obstacles.js';
import type { Provenance, ProvenanceStep } from '#libs/provenance/provenance.js';
import type { RerenderView, StoredBytes } from '#libs/provenance/rerender-verdict.js';
import { ApiProperty } from '@nestjs/swagger';
import { Asset } from '../assets/asset.dto.js';
import { CostBreakdownAnswer } from '../collections/submission.dto.js';
import { ErrorAnswer, TraitAnswer } from '../generations/jobs.dto.js';

export class MadeInCollection {
  id: string;
  title: string | null;
}

export class MadeByJob {
  id: string;
  name: string;
  job_type: string;
  created_at: string;
  completed_at: string | null;
}

export class MadeInGeneration {
  id: string;
  /** The edition's place in its job, from 0. */
  index: number;
  hash: string;
  started_at: string | null;
  completed_at: string | null;
}

export class MadeByWorkflow {
  id: string;
  version: number;
  name: string | null;
}

export class WorkflowPinAnswer {
  id: string;
  version: number;
}

export class InputFileAnswer {
  /** Decimal. */
  asset_id: string;
  name: string;
  mime_type: string;
  /** Bytes. */
  size: number;
  sha256: string;
}

export class FetchedFileAnswer {
  url: string;
  sha256: string;
}

export class ProvenanceStepAnswer implements ProvenanceStep {
  step_id: string;
  alias: string | null;
  node: string;
  /** The version of the stored workflow that the node is; null: the node is built in. */
  workflow: WorkflowPinAnswer | null;
  /** As it was submitted, with its references and variables. */
  payload: ProvenanceStep['payload'];
  /** Steps whose outputs it took. */
  depends_on: string[];
  /** False: somebody outside decides what it gives. */
  repeatable: boolean;
  /** Files of this installation that it was given. */
  inputs: InputFileAnswer[];
  /** What other hosts gave when it asked. */
  fetched: FetchedFileAnswer[];
  /** Models and their versions, predictions, releases of libraries. */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  made_with: Record<string, string>;

  /** SHA-256 of the payload with everything in place. */
  input_digest: string | null;
  attempt: number | null;
  started_at: string | null;
  completed_at: string | null;
}

export class ObstacleAnswer implements Obstacle {
  step_id: string | null;
  node: string | null;
  message: string;
}

export class RerenderingAnswer {
  possible: boolean;
  /** Why it cannot be made again. */
  obstacles: ObstacleAnswer[];
}

/** How a file was made. To strangers all is null that the public view does not tell. */
export class ProvenanceAnswer implements Provenance {
  /** Decimal. */
  asset_id: string;
  name: string;
  mime_type: string;
  /** Bytes. */
  size: number;
  sha256: string;
  created_at: string;
  origin: 'generated' | 'uploaded';
  collection: MadeInCollection | null;
  job: MadeByJob | null;
  generation: MadeInGeneration | null;
  workflow: MadeByWorkflow | null;
  /** Platen's own: the version of all built-in nodes. */
  release: string | null;
  /** As they are in the set: a record or a list. */
  @ApiProperty({ anyOf: [{ type: 'object' }, { type: 'array', items: { type: 'object' } }, { type: 'null' }] })
  variables: Variables | null;

  /** What they were in this edition. */
  @ApiProperty({ anyOf: [{ type: 'object' }, { type: 'null' }] })
  values: Provenance['values'];

  traits: TraitAnswer[] | null;
  step_id: string | null;
  /** The step that made it and all that went into it. */
  steps: ProvenanceStepAnswer[] | null;
  rerender: RerenderingAnswer | null;
  /** The asset that it is a re-render of. */
  rerender_of: string | null;
}

export class StoredBytesAnswer implements StoredBytes {
  sha256: string;
  /** Bytes. */
  size: number;
  /** They are those that were stored when the file was made. */
  intact: boolean;
}

export class RerenderUrlsAnswer {
  rerender_url: string;
  job_status_url: string;
  job_events_url: string;
}

export class RerenderAnswer implements RerenderView {
  asset_id: string;
  job_id: string;
  status: 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled';
  /** Whether what was made again has the very bytes that lie in storage; null: not known yet, or it failed. */
  equal: boolean | null;
  /** As it was recorded when the file was made. */
  sha256: string;
  /** What lies in storage, by its bytes; null: not looked at yet, or nothing. */
  stored: StoredBytesAnswer | null;
  /** The file made again, one of the caller's own; null: not made (yet), or deleted. */
  rerendered: Asset | null;
  error: ErrorAnswer | null;
  created_at: string;
  completed_at: string | null;
  cost_breakdown: CostBreakdownAnswer;
  urls: RerenderUrlsAnswer;
}
