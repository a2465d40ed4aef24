import { v7 as uuidv7, validate as isUuid } from 'uuid';
import { sqlState, type Queryable } from '#libs/database/database.js';
import { nameTaken, notFound } from '#libs/errors/errors.js';

/** One choice of a field. `name` is what people read. */
export interface ConfigOption {
  value: string | number | boolean;
  name?: string | null;
  label?: string | null;
}

/** A list of options that fields of many forms share: they name it as `conf_file`. */
export interface FormConfig {
  id: string;
  name: string;
  options: ConfigOption[];
  created_at: Date;
  updated_at: Date;
}

/** As a list shows it. */
export type ListedFormConfig = Omit<FormConfig, 'options'> & { options_count: number; position: string };

/** A list as it stands; `asOf` is another with each change. */
export interface OptionList {
  options: ConfigOption[];
  asOf: string;
}

const COLUMNS = 'id, name, options, created_at, updated_at';
const UNIQUE_VIOLATION = '23505';
const missing = () => notFound('Form config');

/** The whole installation's option lists: everyone reads them, admins write them. */
export class FormConfigs {
  constructor(private readonly database: Queryable) {}

  /** Newest first; one more than `limit` when there are more. */
  list({ limit, after }: { limit: number; after: string[] | null }): Promise<ListedFormConfig[]> {
    return this.database.query(
      `select id, name, jsonb_array_length(options) as options_count, created_at, updated_at, created_at::text as position
         from form_config
        where $1::timestamptz is null or (created_at, id) < ($1::timestamptz, $2::uuid)
        order by created_at desc, id desc limit $3`,
      [after?.[0] ?? null, after?.[1] ?? null, limit + 1],
    );
  }

  /** Throws `NOT_FOUND`. */
  async findByName(name: string): Promise<FormConfig> {
    const [row] = await this.database.query<FormConfig>(`select ${COLUMNS} from form_config where name = $1`, [name]);
    if (!row) throw missing();
    return row;
  }

  /** Those of these names that there are. */
  async optionsOf(names: readonly string[]): Promise<Map<string, OptionList>> {
    if (names.length === 0) return new Map();
    const rows = await this.database.query<OptionList & { name: string }>(
      `select name, options, updated_at::text as "asOf" from form_config where name = any($1)`, [names],
    );
    return new Map(rows.map(({ name, options, asOf }) => [name, { options, asOf }]));
  }

  /** Throws `NAME_TAKEN`. */
  async create(tx: Queryable, { name, options }: Pick<FormConfig, 'name' | 'options'>): Promise<FormConfig> {
    const [row] = await tx.query<FormConfig>(
      `insert into form_config (id, name, options) values ($1, $2, $3) on conflict (name) do nothing returning ${COLUMNS}`,
      [uuidv7(), name, JSON.stringify(options)],
    );
    if (!row) throw nameTaken(name);
    return row;
  }

  /** Throws `NOT_FOUND`, `NAME_TAKEN`. Jobs that were submitted keep what they were given. */
  async replace(id: string, { name, options }: Pick<FormConfig, 'name' | 'options'>): Promise<FormConfig> {
    if (!isUuid(id)) throw missing();
    const [row] = await this.database
      .query<FormConfig>(
        `update form_config set name = $2, options = $3, updated_at = clock_timestamp() where id = $1 returning ${COLUMNS}`,
        [id, name, JSON.stringify(options)],
      )
      .catch((error: unknown) => {
        throw sqlState(error) === UNIQUE_VIOLATION ? nameTaken(name) : error;
      });
    if (!row) throw missing();
    return row;
  }

  /** Forms that name it take no value there until it is back. Throws `NOT_FOUND`. */
  async remove(id: string): Promise<void> {
    if (!isUuid(id)) throw missing();
    const removed = await this.database.query('delete from form_config where id = $1 returning 1', [id]);
    if (removed.length === 0) throw missing();
  }
}
