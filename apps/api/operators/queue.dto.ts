import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Length, Max, MaxLength, Min } from 'class-validator';
import type { RecordedAction } from '#libs/operators/operator-log.js';
import { PAUSE_MODES, PAUSE_SCOPES, type Pause, type PauseMode, type PauseScope } from '#libs/operators/pauses.js';
import { GROUPINGS, type Grouping, type OperatedJob, type PauseState, type Running, type Waiting } from '#libs/operators/queue-view.js';
import { ApiAnyJson } from '../http/answers.js';
import { IsInstant, MayBeAbsent } from '../http/body-fields.js';

export class WaitingQuery {
  /** What is counted together. */
  @IsOptional() @IsIn(GROUPINGS)
  by: Grouping = 'lane';

  /** How many groups at most, those with the most open generations first. */
  @Type(() => Number) @IsInt() @Min(1) @Max(100)
  limit: number = 20;
}

export class RunningQuery {
  /** How many at most, the longest first. */
  @Type(() => Number) @IsInt() @Min(1) @Max(1_000)
  limit: number = 100;
}

/** Open generations of a lane, workflow or user. Ages are seconds; null: there is none. */
export class WaitingAnswer implements Waiting {
  /** The lane, or the id of the workflow or user; null: of an instruction set of its own. */
  subject: string | null;
  /** What the workflow is called. */
  name: string | null;
  /** May be taken now. */
  ready: number;
  /** Wait for the outside, or for the time of a retry. */
  waiting: number;
  running: number;
  paused: number;
  /** How long the oldest that may be taken has been so. */
  oldest_ready_seconds: number | null;
  /** Since the submission of the oldest. */
  oldest_seconds: number | null;
}

/** A generation in the hands of a worker. */
export class RunningAnswer implements Running {
  generation_id: string;
  job_id: string;
  index: number;
  user_id: string;
  workflow_id: string | null;
  lane: string;
  priority: number;
  worker: string | null;
  /** Grows with each claim. */
  lease: number;
  /** In the past: the worker is lost, and another takes over within seconds. */
  lease_until: Date | null;
  started_at: Date | null;
  deadline_at: Date | null;
  /** Nodes of the steps that run now. */
  nodes: string[];
}

export class PauseRequest {
  @IsIn(PAUSE_SCOPES)
  scope: PauseScope;

  /** The lane, or the id of the workflow or user. Not with the scope `all`. */
  @MayBeAbsent() @IsString() @MaxLength(100)
  subject?: string;

  /** `pause`: no worker takes any of it. `drain`: nothing more of it is begun, and what has begun goes on to its end. */
  @MayBeAbsent() @IsIn(PAUSE_MODES)
  mode: PauseMode = 'pause';

  /** For whoever finds the work standing still. */
  @IsString() @Length(1, 500)
  reason: string;

  /** When it ends by itself. Absent: when it is lifted. */
  @MayBeAbsent() @IsInstant()
  until?: string;
}

export class PauseAnswer implements Pause {
  id: string;
  scope: PauseScope;
  subject: string;
  mode: PauseMode;
  reason: string;
  created_by: string;
  created_at: Date;
  until: Date | null;
  lifted_at: Date | null;
  /** Null, with `lifted_at`: its time was over. */
  lifted_by: string | null;
}

/** A pause in force. */
export class PauseStateAnswer extends PauseAnswer implements PauseState {
  /** Generations that it holds back. */
  holds: number;
  /** Those it is for that go on: they run in a worker, or had begun when a drain came. 0: it is drained. */
  goes_on: number;
}

export class QueueAnswer {
  lanes: WaitingAnswer[];
  pauses: PauseStateAnswer[];
}

export class CancelRequest {
  /** Told to the job's owner. */
  @IsString() @Length(1, 500)
  reason: string;
}

export class PriorityRequest {
  /** 1 to 100; 100 goes first. */
  @IsInt() @Min(1) @Max(100)
  priority: number;
}

/** A job after what an operator did to it. */
export class OperatedJobAnswer implements OperatedJob {
  id: string;
  user_id: string;
  workflow_id: string | null;
  status: string;
  priority: number;
  generations: number;
  completed: number;
  failed: number;
  cancelled: number;
}

export class OperatorActionAnswer implements RecordedAction {
  id: string;
  /** The operator. */
  user_id: string;
  /** pause, drain, lift, cancel, retry or prioritise. */
  verb: string;

  /** What it was done to. */
  @ApiAnyJson()
  target: Record<string, unknown>;

  @ApiAnyJson()
  details: Record<string, unknown>;

  at: Date;
}
