import { IsInt, Max, Min } from 'class-validator';
import type { TraitDistribution, ValueCount } from '#libs/instruction-set/distribution.js';
import { ApiScalar } from '../http/answers.js';
import { MayBeAbsent } from '../http/body-fields.js';

/** Body of `POST /collections/:id/distribution`. */
export class DistributionBody {
  /** How many new hashes are tried. */
  @MayBeAbsent() @IsInt() @Min(1) @Max(1_000)
  hashes: number = 1_000;
}

export class ValueCountAnswer implements ValueCount {
  @ApiScalar()
  value: string | number | boolean;

  count: number;
  /** Of all hashes, as a part of 1. */
  share: number;
}

export class ValueRangeAnswer {
  min: number;
  max: number;
  mean: number;
}

export class TraitDistributionAnswer implements TraitDistribution {
  trait_type: string;
  /** How many values are different. */
  distinct: number;
  /** The most common first, 100 at most. */
  values: ValueCountAnswer[];
  /** Where all values are numbers. */
  range: ValueRangeAnswer | null;
}

export class DistributionAnswer {
  hashes: number;
  /** In the order of the collection's variables; without those that are the same in every edition. */
  traits: TraitDistributionAnswer[];
}
