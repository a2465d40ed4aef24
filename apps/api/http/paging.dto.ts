import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

/** `?limit=&cursor=` of every list. Extend it with the list's own filters. */
export class PageQuery {
  /** How many items at most. */
  @Type(() => Number) @IsInt() @Min(1) @Max(100)
  limit: number = 20;

  /** `next_cursor` of the page before. Opaque. */
  @IsOptional() @IsString() @MaxLength(500)
  cursor?: string;
}
