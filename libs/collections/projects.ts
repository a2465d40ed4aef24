import { v7 as uuidv7 } from 'uuid';
import type { Database, Queryable } from '#libs/database/database.js';
import { projectNotFound } from '#libs/errors/errors.js';

export interface ProjectRow {
  id: string;
  name: string;
  is_default: boolean;
  version: string;
  created_at: Date;
  /** `created_at` to the microsecond, for cursors. */
  created_at_text: string;
}

/** A project on the wire. */
export interface ProjectView {
  id: string;
  name: string;
  is_default: boolean;
  version: string;
  created_at: string;
}

export const projectView = ({ id, name, is_default, version, created_at }: ProjectRow): ProjectView => ({
  id,
  name,
  is_default,
  version,
  created_at: created_at.toISOString(),
});

const COLUMNS = 'id, name, is_default, version, created_at, created_at::text as created_at_text';

/** The folders in which a user keeps collections. Another user's are as unknown as none. */
export class Projects {
  constructor(private readonly database: Database) {}

  /** Newest first, after the project that `after` (`created_at_text`, id) names. */
  list(userId: string, limit: number, after: string[] | null): Promise<ProjectRow[]> {
    const [time, id] = after ?? [null, null];
    return this.database.query<ProjectRow>(
      `select ${COLUMNS} from project
        where user_id = $1 and ($3::timestamptz is null or (created_at, id) < ($3::timestamptz, $4::uuid))
        order by created_at desc, id desc limit $2`,
      [userId, limit, time, id],
    );
  }

  async create(db: Queryable, userId: string, name: string): Promise<ProjectView> {
    const [row] = await db.query<ProjectRow>(
      `insert into project (id, user_id, name) values ($1, $2, $3) returning ${COLUMNS}`,
      [uuidv7(), userId, name],
    );
    return projectView(row as ProjectRow);
  }

  /** Throws `PROJECT_NOT_FOUND`. */
  async find(userId: string, id: string): Promise<ProjectView> {
    const [row] = await this.database.query<ProjectRow>(
      `select ${COLUMNS} from project where id = $1 and user_id = $2`,
      [id, userId],
    );
    if (!row) throw projectNotFound();
    return projectView(row);
  }
}
