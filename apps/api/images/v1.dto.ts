import { ApiProperty } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { DEFAULT_MODEL } from '#libs/image-generations/image-models.js';
import type { V1Status } from '#libs/image-generations/v1-view.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { IsVariables, MayBeAbsent } from '../http/body-fields.js';
import { CamelCaseLabelsBody } from '../http/submission-labels.dto.js';
import { IsAspectRatio, IsModel, IsPrompt } from './image-fields.js';

const MODES = ['text_to_image', 'image_to_image'] as const;
type Mode = (typeof MODES)[number];

/** Body of `POST /api/v1/generations`; a form has the same fields, `parameters`, `tags` and `webhookEvents` as JSON, and its files. */
export class V1GenerationBody extends CamelCaseLabelsBody {
  @IsPrompt()
  prompt: string;

  /** Default: `image_to_image` with files, else `text_to_image`. */
  @MayBeAbsent() @IsIn(MODES)
  mode?: Mode;

  @MayBeAbsent() @IsModel()
  model: string = DEFAULT_MODEL;

  @MayBeAbsent() @IsAspectRatio()
  aspectRatio?: string;

  /** The model's own inputs beside these. */
  @MayBeAbsent() @IsVariables()
  parameters: Record<string, unknown> = {};
}

export class V1ActionBody {
  @IsIn(['cancel'])
  action: 'cancel';
}

export class V1SettingsAnswer {
  model: string;
  mode: string;
  prompt: string;
  aspectRatio: string | null;
  @ApiProperty({ type: 'object', additionalProperties: true })
  parameters: JsonObject;
  /** Images it is made from, at URLs that last 300 seconds. */
  inputs: string[];
}

export class V1VariantAnswer {
  id: string;
  index: number;
  url: string;
  width: number | null;
  height: number | null;
}

export class V1ErrorAnswer {
  code: string;
  message: string;
}

/** A generation of the v1 face. */
export class V1GenerationAnswer {
  id: string;
  /** Null until the provider has taken it. */
  predictionId: string | null;
  status: V1Status;
  settings: V1SettingsAnswer;
  /** Names the folder of its images; null until there are any. */
  renderId: string | null;
  variants: V1VariantAnswer[];
  error: V1ErrorAnswer | null;
  createdAt: string;
  completedAt: string | null;
}
