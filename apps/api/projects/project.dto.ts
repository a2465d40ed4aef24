import { IsString, Length } from 'class-validator';

/** Body of `POST /projects`. */
export class CreateProjectBody {
  @IsString() @Length(1, 100)
  name: string;
}

/** A folder of collections. */
export class ProjectAnswer {
  id: string;
  name: string;
  /** Where collections go that name no project. */
  is_default: boolean;
  version: string;
  /** ISO 8601. */
  created_at: string;
}
