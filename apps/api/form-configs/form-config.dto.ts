import { Type } from 'class-transformer';
import {
  ArrayMaxSize, ArrayMinSize, IsArray, IsOptional, IsString, Length, Matches, MaxLength, ValidateBy, ValidateNested,
} from 'class-validator';
import { ApiScalar } from '../http/answers.js';

const isScalar = (value: unknown): boolean =>
  (typeof value === 'string' && value.length <= 1_000) || typeof value === 'number' || typeof value === 'boolean';
const IsScalar = () =>
  ValidateBy({
    name: 'isScalar',
    validator: { validate: isScalar, defaultMessage: () => 'value must be a text of at most 1000 characters, a number or a boolean' },
  });

export class OptionBody {
  @ApiScalar() @IsScalar()
  value: string | number | boolean;

  /** What people read. Default: the value. */
  @IsOptional() @IsString() @MaxLength(200)
  name: string | null = null;

  /** The same. */
  @IsOptional() @IsString() @MaxLength(200)
  label: string | null = null;
}

/** Body of `POST` and `PUT /form-configs`. */
export class FormConfigBody {
  /** Unique. Fields name it as `conf_file`. */
  @IsString() @Length(1, 100) @Matches(/^\S(.*\S)?$/, { message: 'name must not begin or end with a space' })
  name: string;

  @IsArray() @ArrayMinSize(1) @ArrayMaxSize(1_000) @ValidateNested({ each: true }) @Type(() => OptionBody)
  options: OptionBody[];
}

export class OptionAnswer {
  @ApiScalar()
  value: string | number | boolean;
  name?: string | null;
  label?: string | null;
}

export class FormConfigAnswer {
  id: string;
  name: string;
  options: OptionAnswer[];
  created_at: Date;
  updated_at: Date;
}

export class ListedFormConfigAnswer {
  id: string;
  name: string;
  options_count: number;
  created_at: Date;
  updated_at: Date;
}
