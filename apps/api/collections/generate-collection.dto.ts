import { Type } from 'class-transformer';
import {
  IsBoolean, IsIn, IsInt, IsNumber, IsString, IsUUID, Length, Max, MaxLength, Min, ValidateNested, IsObject,
} from 'class-validator';
import { BLOCKCHAINS, type Blockchain } from '#libs/collections/collection-metadata.js';
import { IsInstant, IsVariables, IsWebUrl, MayBeAbsent } from '../http/body-fields.js';
import { SubmissionLabelsBody } from '../http/submission-labels.dto.js';

export class GenerateCollectionMetadata {
  /** Editions there may ever be; absent: no limit. */
  @MayBeAbsent() @IsInt() @Min(1) @Max(10_000)
  editions?: number;

  /** In `currency`. */
  @MayBeAbsent() @IsNumber() @Min(0)
  price?: number;

  /** Default: the chain's coin. */
  @MayBeAbsent() @IsString() @Length(1, 10)
  currency?: string;

  @MayBeAbsent() @IsIn(BLOCKCHAINS)
  blockchain?: Blockchain;

  /** ISO 8601. In the future: nothing is published before then. */
  @MayBeAbsent() @IsInstant()
  publish_date?: string;

  @MayBeAbsent() @IsWebUrl()
  cover_image_url?: string;

  @MayBeAbsent() @IsBoolean()
  batch_mint_enabled?: boolean;

  @MayBeAbsent() @IsInt() @Min(1) @Max(1_000)
  batch_max_tokens?: number;

  /** Keeps the set, all that comes of it and the files encrypted, for good. */
  @MayBeAbsent() @IsBoolean()
  encryption_enabled?: boolean;
}

export class GenerateCollectionOptions {
  /** 1–100; a plan may cap it. */
  @MayBeAbsent() @IsInt() @Min(1) @Max(100)
  workflow_priority: number = 50;

  /** Publishes the collection once every generation has succeeded. */
  @MayBeAbsent() @IsBoolean()
  auto_publish: boolean = false;

  /** Makes thumbnails of its images and videos, and a cover where its owner gave none. */
  @MayBeAbsent() @IsBoolean()
  generate_preview: boolean = true;

  /** Keeps the assets of every step, not only of the last ones. */
  @MayBeAbsent() @IsBoolean()
  save_intermediate_outputs: boolean = false;
}

/** Body of `POST /api/collections/generate`. */
export class GenerateCollectionBody extends SubmissionLabelsBody {
  @IsString() @Length(1, 100)
  title: string;

  @IsUUID('loose')
  workflow_id: string;

  @MayBeAbsent() @IsString() @MaxLength(500)
  description?: string;

  /** Values of the workflow's form. At most 200 names and 256 KiB. */
  @MayBeAbsent() @IsVariables()
  variables: Record<string, unknown> = {};

  /** Not over the workflow's own `maxNumberOfGenerations`. */
  @MayBeAbsent() @IsInt() @Min(1) @Max(10)
  generations: number = 1;

  /** Default: the caller's default project, which is made when first needed. */
  @MayBeAbsent() @IsUUID('loose')
  project_id?: string;

  @MayBeAbsent() @IsObject() @ValidateNested() @Type(() => GenerateCollectionMetadata)
  metadata: GenerateCollectionMetadata = new GenerateCollectionMetadata();

  @MayBeAbsent() @IsObject() @ValidateNested() @Type(() => GenerateCollectionOptions)
  options: GenerateCollectionOptions = new GenerateCollectionOptions();
}
