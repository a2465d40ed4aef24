import { ApiProperty } from '@nestjs/swagger';
import { IsDefined, IsIn } from 'class-validator';
import type { Variables } from '#libs/instruction-set/instruction-set.js';
import { AsItCame, MayBeAbsent } from '../http/body-fields.js';

const VARIABLES = { oneOf: [{ type: 'object' }, { type: 'array', items: { type: 'object' } }] };

export class VariablesQuery {
  /** Default: what `Accept` asks for, else `json`. */
  @MayBeAbsent() @IsIn(['json', 'csv'])
  format?: 'json' | 'csv';
}

export class VariablesBody {
  /** A record of values by name, or a list of `{ name, type, value_type, value, lock_value?, test_value? }`. */
  @ApiProperty(VARIABLES)
  @AsItCame() @IsDefined()
  variables: unknown;
}

export class VariablesAnswer {
  /** A record of values by name, or a list. */
  @ApiProperty(VARIABLES)
  variables: Variables;
}
