import {
  IsBoolean, IsIn, IsInt, IsNumber, IsObject, IsOptional, IsString, Length, Max, MaxLength, Min,
} from 'class-validator';
import {
  BLOCKCHAINS, type Blockchain, type CollectionMetadata,
} from '#libs/collections/collection-metadata.js';
import { AsItCame, IsInstant, IsWebUrl } from '../http/body-fields.js';

export class CreateCollectionQuery {
  /** Default: the caller's default project, which is made when first needed. */
  @IsOptional() @IsString()
  project_id?: string;

  /** Takes the instruction set that made this asset (its `gen_in_data`). */
  @IsOptional() @IsString()
  asset_id?: string;
}

/** Body of `POST /projects/collections`. Every field may be absent or null. */
export class CreateCollectionBody implements CollectionMetadata {
  /** The instruction set: `{ version, steps, generations, variables }`. Default: one without steps. */
  @IsOptional() @AsItCame() @IsObject()
  data?: Record<string, unknown> | null;

  @IsOptional() @IsString() @Length(1, 100)
  title?: string | null;

  @IsOptional() @IsString() @MaxLength(500)
  description?: string | null;

  /** Editions there may ever be; null: no limit. */
  @IsOptional() @IsInt() @Min(1) @Max(10_000)
  editions?: number | null;

  /** ISO 8601. */
  @IsOptional() @IsInstant()
  publish_date?: string | null;

  /** In `currency`. */
  @IsOptional() @IsNumber() @Min(0)
  price?: number | null;

  /** Default: the chain's coin. */
  @IsOptional() @IsString() @Length(1, 10)
  currency?: string | null;

  @IsOptional() @IsWebUrl()
  cover_image_url?: string | null;

  @IsOptional() @IsBoolean()
  batch_mint_enabled?: boolean | null;

  @IsOptional() @IsInt() @Min(1) @Max(1_000)
  batch_max_tokens?: number | null;

  /**
   * Keeps the set, all that comes of it and the files encrypted. For good: it is decided when the collection is made.
   * Nobody but the owner ever sees the set, or may copy it.
   */
  @IsOptional() @IsBoolean()
  encryption_enabled?: boolean | null;

  /** Hidden from the public. */
  @IsOptional() @IsBoolean()
  archived?: boolean | null;

  @IsOptional() @IsIn(BLOCKCHAINS)
  blockchain?: Blockchain | null;

  /** Lets everyone see and copy the instruction set of the published collection. */
  @IsOptional() @IsBoolean()
  remixable?: boolean | null;
}
