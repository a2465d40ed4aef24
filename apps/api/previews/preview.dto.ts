import { IsInt, IsNotEmpty, IsObject, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { TraitAnswer } from '../generations/jobs.dto.js';

/** The largest side of a draft, in pixels. */
const MAX_SIDE = 1024;

/** One small draft of a sketch. */
export class PreviewRequest {
  /** The sketch: a p5 program in global or instance mode. */
  @IsString() @IsNotEmpty() @MaxLength(500_000)
  code: string;

  /** An edition's hash; a new one is made when it is missing. */
  @IsOptional() @IsString() @MaxLength(100)
  hash?: string;

  /** What the sketch reads as `variables`. */
  @IsOptional() @IsObject()
  variables?: JsonObject;

  @IsInt() @Min(1) @Max(MAX_SIDE)
  width: number;

  @IsInt() @Min(1) @Max(MAX_SIDE)
  height: number;
}

export class PreviewView {
  hash: string;
  /** The image as a `data:` URL. With `Accept: image/*` the answer is the image itself. */
  image: string;
  mime_type: string;
  width: number;
  height: number;
  traits: TraitAnswer[];
  /** The last lines of the sketch's console. */
  logs: string[];
}
