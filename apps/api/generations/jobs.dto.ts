import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, IsUUID, MaxLength } from 'class-validator';
import { RECORDED_EVENTS, type RecordedEventType } from '#libs/events/job-event.js';
import { Asset } from '../assets/asset.dto.js';
import { ApiAnyJson, ApiScalar } from '../http/answers.js';
import { PageQuery } from '../http/paging.dto.js';

const STATUSES = ['pending', 'processing', 'completed', 'failed', 'cancelled'];

/** Filters of `GET /jobs`. All that are given must hold. */
export class JobsQuery extends PageQuery {
  @IsOptional() @IsIn(STATUSES)
  status?: string;

  @IsOptional() @IsString() @MaxLength(100)
  job_type?: string;

  @IsOptional() @IsUUID()
  collection_id?: string;

  @IsOptional() @IsString() @MaxLength(255)
  tag?: string;

  @IsOptional() @IsString() @MaxLength(255)
  external_id?: string;
}

/** Query of `GET /jobs/:id/events`. */
export class JobEventsQuery {
  /** A stream token, for clients that cannot send an `Authorization` header. */
  @IsOptional() @IsString() @MaxLength(100)
  access_token?: string;
}

export class FieldFaultAnswer {
  field: string;
  message: string;
}

export class ErrorAnswer {
  /** Stable, upper case. */
  code: string;
  message: string;
  /** The fields at fault, where they are known. */
  details?: FieldFaultAnswer[];
}

export class GenerationErrorAnswer extends ErrorAnswer {
  /** The step that failed. */
  step_id: string | null;
}

export class TraitAnswer {
  trait_type: string;

  @ApiScalar()
  value: string | number | boolean;
}

/** The newest attempt of a step that has begun. */
export class StepAnswer {
  step_id: string;
  alias: string | null;
  node: string;
  status: 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled';
  attempt: number;
  /** Percent. */
  progress: number;
  started_at: string;
  completed_at: string | null;
  /** In `GET /jobs/:id/generations` only: what the step gave, up to 16 KiB. */
  @ApiAnyJson()
  output?: unknown;
  /** The output is larger than 16 KiB. */
  output_truncated?: boolean;
  /** The last 100 lines. */
  logs: string[];
  error: ErrorAnswer | null;
}

/** One edition. */
export class GenerationAnswer {
  id: string;
  index: number;
  hash: string;
  status: 'pending' | 'processing' | 'waiting' | 'completed' | 'failed' | 'cancelled';
  /** Percent. */
  progress: number;
  error: GenerationErrorAnswer | null;
  traits: TraitAnswer[];
  steps: StepAnswer[];
  /** Shown once the generation is finished and paid. */
  assets: Asset[];
  started_at: string | null;
  completed_at: string | null;
}

export class CostAnswer {
  /** Credits for everything the job makes. */
  total: number;
  /** Still reserved. */
  held: number;
  /** Spent. */
  captured: number;
  /** Given back. A resume holds again. */
  released: number;
}

export class CountsAnswer {
  total: number;
  completed: number;
  failed: number;
  cancelled: number;
}

export class JobUrlsAnswer {
  job_status_url: string;
  job_events_url: string;
  collection_url: string | null;
}

export class JobSummaryAnswer {
  id: string;
  name: string;
  description: string | null;
  job_type: string;
  status: 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled';
  /** 100 goes first. */
  priority: number;
  /** Percent; never falls. */
  progress: number;
  collection_id: string | null;
  workflow_id: string | null;
  workflow_version: number | null;
  tags: string[];
  external_id: string | null;
  /** While the job waits: 1 is next. Null while it is paused. */
  queue_position: number | null;
  /** An operator holds back generations of it; what runs goes on. */
  paused: boolean;
  /** While the job waits, ISO 8601. */
  estimated_completion: string | null;
  cost: CostAnswer;
  /** Generations by how they ended. */
  counts: CountsAnswer;
  error: ErrorAnswer | null;
  created_at: string;
  started_at: string | null;
  completed_at: string | null;
  urls: JobUrlsAnswer;
}

/** A job with its first 100 generations, without outputs. */
export class JobAnswer extends JobSummaryAnswer {
  generations: GenerationAnswer[];
}

/** A recorded change of state. What does not apply is absent. */
export class JobEventAnswer {
  /** 1, 2, 3 … within its job. */
  seq: number;

  @ApiProperty({ enum: RECORDED_EVENTS })
  type: RecordedEventType;

  job_id: string;
  at: string;
  status?: string;

  @ApiAnyJson()
  output?: unknown;

  generation_id?: string;
  generation_index?: number;
  hash?: string;
  step_id?: string;
  node?: string;
  alias?: string;
  progress?: number;
  message?: string;
  attempt?: number;
  /** When a failed step is tried again. */
  retry_at?: string;
  asset?: Asset;
  error?: ErrorAnswer;
}

export class StreamTokenAnswer {
  /** For `?access_token=` of this job's stream. */
  token: string;
  /** Seconds within which it must be used first; then it is good for an hour. */
  expires_in: number;
  url: string;
}
