import { IsString, Matches } from 'class-validator';

/** Body of `PUT /secrets/:name`. */
export class SecretBody {
  /** Goes into a header as it is: 1 to 4096 printable ASCII characters. */
  @IsString() @Matches(/^[\x20-\x7e]{1,4096}$/, { message: 'value must be 1 to 4096 printable ASCII characters' })
  value: string;
}

export class SecretAnswer {
  name: string;
  created_at: Date;
  updated_at: Date;
}
