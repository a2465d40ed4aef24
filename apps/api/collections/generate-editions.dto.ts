import { IsInt, IsUUID, Max, Min } from 'class-validator';
import { IsVariables, MayBeAbsent } from '../http/body-fields.js';
import { SubmissionLabelsBody } from '../http/submission-labels.dto.js';

/** Body of `POST /collections/:id/generations`. */
export class GenerateEditionsBody extends SubmissionLabelsBody {
  /** Each replaces the collection's variable of that name. */
  @MayBeAbsent() @IsVariables()
  variables: Record<string, unknown> = {};

  /** Default: the set's own number. Where the set has custom hashes, their number. */
  @MayBeAbsent() @IsInt() @Min(1) @Max(1_000)
  generations?: number;

  /** A workflow that the collection uses: its step runs alone. */
  @MayBeAbsent() @IsUUID('loose')
  workflow_id?: string;

  /** 1–100; a plan may cap it. */
  @MayBeAbsent() @IsInt() @Min(1) @Max(100)
  workflow_priority: number = 50;
}
