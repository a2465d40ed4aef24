import {
  ArrayMaxSize, IsArray, IsIn, IsInt, IsObject, IsOptional, IsString, Length, Matches, Max, MaxLength, Min,
} from 'class-validator';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { SubmissionLabelsBody } from '../http/submission-labels.dto.js';
import { PageQuery } from '../http/paging.dto.js';

/** `?type=&q=&tag=` of the list of workflows. */
export class WorkflowQuery extends PageQuery {
  @IsOptional() @IsString() @MaxLength(50)
  type?: string;

  /** Part of the name, label or description. */
  @IsOptional() @IsString() @MaxLength(100)
  q?: string;

  @IsOptional() @IsString() @MaxLength(50)
  tag?: string;
}

/** Body of `POST /workflows`. */
export class CreateWorkflowBody {
  /** Unique. Steps name a workflow by it, so it is not a built-in node's. */
  @IsString() @Length(1, 100) @Matches(/^\S(.*\S)?$/, { message: 'name must not begin or end with a space' })
  name: string;

  /** What people read. */
  @IsOptional() @IsString() @MaxLength(100)
  label: string | null = null;

  @IsOptional() @IsString() @MaxLength(2_000)
  description: string | null = null;

  /** `pipeline`, `basic` (a form and a price), or another kind: see the page on workflows. */
  @IsString()
  type: string;

  /** What it makes. Without it the workflow is not executable. */
  @IsOptional() @IsString() @MaxLength(100)
  @Matches(/^[a-z]+\/[a-z0-9.+*-]+$/, { message: 'output_mime_type must look like image/png' })
  output_mime_type: string | null = null;

  @IsIn(['private', 'public'])
  visibility: 'private' | 'public' = 'private';

  @IsArray() @ArrayMaxSize(10) @IsString({ each: true }) @Length(1, 50, { each: true })
  tags: string[] = [];

  /** Form, price, steps: see the page on workflows. */
  @IsObject()
  data: JsonObject;
}

/** Body of `POST /workflows/:id/estimate`. */
export class EstimateBody {
  /** Values of the workflow's form. */
  @IsOptional() @IsObject()
  variables: JsonObject = {};

  @IsInt() @Min(1) @Max(1_000)
  generations: number = 1;
}

/** Body of `POST /workflows/:id/test`. */
export class TestBody extends SubmissionLabelsBody {
  /** Values of the workflow's form. Absent: those of its `test`. */
  @IsOptional() @IsObject()
  variables: JsonObject | null = null;
}

export class CreditRange {
  min: number;
  max: number;
}

/** Credits. */
export class WorkflowPrice {
  /** Once per submission. */
  base: number;
  per_generation: CreditRange;
}

export class WorkflowAnswer {
  id: string;
  name: string;
  label: string | null;
  description: string | null;
  type: string;
  output_mime_type: string | null;
  visibility: 'private' | 'public';
  tags: string[];
  /** Counts the saves. */
  version: number;
  /**
   * All of it for the author and admins, else `form` and `estimated_duration`. In lists a summary of these two:
   * of the form its first 50 fields, each `{ id, name, type, required }`.
   */
  data: object;
  /** JSON Schema (2020-12) of the form's variables. In lists only `{ type: 'object' }`. */
  form_schema: object;
  price: WorkflowPrice;
  /** Seconds of one generation. */
  estimated_duration: number;
  /** ISO 8601. */
  created_at: string;
  updated_at: string;
}

/** Credits: total = base cost + per generation × generations. */
export class CostBreakdownAnswer {
  total_credits: number;
  per_generation: number;
  workflow_base_cost: number;
}

export class TestUrls {
  job_status_url: string;
  job_events_url: string;
}

/** What a trial made. */
export class TestAnswer {
  job_id: string;
  /** `pending`; with `Prefer: wait=n` what the job has come to. */
  status: 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled';
  /** Seconds. */
  estimated_duration: number;
  cost_breakdown: CostBreakdownAnswer;
  urls: TestUrls;
}

export class EstimateAnswer {
  cost_breakdown: CostBreakdownAnswer;
  /** Seconds. */
  estimated_duration: number;
}

export class ModelAnswer {
  /** The servers' folder of models: `checkpoints`, `loras`, … */
  kind: string;
  /** File name, with its path below the folder. */
  name: string;
  available: boolean;
  /** Host and port of those that have it. */
  servers: string[];
}
