import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsInt, IsNumber, IsString, IsUUID, Max, MaxLength, Min, ValidateNested,
} from 'class-validator';
import { QUALITY_NAMES, STYLE_NAMES, type Quality, type Style } from '#libs/image-generations/prompts.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { IsWebUrl, MayBeAbsent } from '../http/body-fields.js';
import { CamelCaseLabelsBody } from '../http/submission-labels.dto.js';
import { IsAspectRatio, IsModel } from './image-fields.js';

/** Numbers that go to the model as they are. */
export class TwoStepParameters {
  @MayBeAbsent() @IsNumber() @Min(0) @Max(100)
  guidance_scale?: number;

  @MayBeAbsent() @IsInt() @Min(1) @Max(1_000)
  num_inference_steps?: number;

  @MayBeAbsent() @IsNumber() @Min(0) @Max(1)
  strength?: number;

  @MayBeAbsent() @IsInt() @Min(0) @Max(4_294_967_295)
  seed?: number;
}

/** Body of `POST /api/generation/create`. Images are public http(s) URLs, which the model's provider loads. */
export class CreateGenerationBody extends CamelCaseLabelsBody {
  @IsArray() @ArrayMinSize(1) @ArrayMaxSize(8) @IsWebUrl({ each: true })
  productImages: string[];

  @MayBeAbsent() @IsArray() @ArrayMaxSize(8) @IsWebUrl({ each: true })
  modelImages: string[] = [];

  @IsModel()
  model: string;

  @IsIn(STYLE_NAMES)
  style: Style;

  @IsIn(QUALITY_NAMES)
  quality: Quality;

  @IsAspectRatio()
  aspectRatio: string;

  @MayBeAbsent() @IsString() @MaxLength(2_000)
  customPrompt?: string;

  @MayBeAbsent() @ValidateNested() @Type(() => TwoStepParameters)
  parameters: TwoStepParameters = new TwoStepParameters();
}

/** Body of `POST /api/generate`. */
export class BeginGenerationBody {
  @IsUUID('loose')
  generationId: string;
}

/** A record that waits to be begun. */
export class CreatedGenerationAnswer {
  generationId: string;
  /** Credits, reserved until it ends. */
  estimatedCost: number;
  /** As the model will be given it. */
  prompt: string;
  status: 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled';
  message: string;
}

export class BegunGenerationAnswer {
  generationId: string;
  /** Of a full body: what a record tells, too. */
  estimatedCost?: number;
  prompt?: string;
  /** Empty at first. */
  resultImages: string[];
  status: 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled';
  message: string;
}

/** A generation of the two-step face. Times are milliseconds since 1970. */
export class TwoStepAnswer {
  generationId: string;
  status: 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled';
  resultImages: string[];
  prompt: string;
  /** `model`, `style`, `quality`, `aspectRatio` and what was given under `parameters`. */
  @ApiProperty({ type: 'object', additionalProperties: true })
  parameters: JsonObject;
  productImages: string[];
  modelImages: string[];
  /** Credits spent: none before it is completed. */
  tokensUsed: number;
  estimatedCost: number;
  retryCount: number;
  createdAt: number;
  completedAt: number | null;
  /** Milliseconds from its beginning to its end. */
  processingTime: number | null;
  error: string | null;
  message: string;
}
