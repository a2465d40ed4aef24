import { LRUCache } from 'lru-cache';
import { v7 as uuidv7, validate as isUuid } from 'uuid';
import { sqlState, type Database, type Queryable } from '#libs/database/database.js';
import { escapeLike } from '#libs/database/like.js';
import { forbidden, nameTaken, workflowNotFound } from '#libs/errors/errors.js';
import { FormConfigs } from '#libs/form-configs/form-configs.js';
import type { Caller } from '#libs/identity/caller.js';
import { configNamesOf, withOptions } from './form-options.js';
import type { StoredWorkflow, WorkflowData, WorkflowInput, WorkflowVersion } from './stored-workflow.js';

const UNIQUE_VIOLATION = '23505';
/** Versions kept in memory. Each may be as large as a request. */
const CACHED_VERSIONS = 200;

export interface WorkflowFilter {
  type?: string | undefined;
  tag?: string | undefined;
  /** Part of the name, label or description, in any case. */
  q?: string | undefined;
}

/** The sort key of a workflow: its time of creation as text, to the microsecond, and its id. */
export type WorkflowKey = [createdAt: string, id: string];

export type ListedWorkflow = StoredWorkflow & { created_at_text: string };

/** Stored workflows: public ones are everybody's to read, private ones their author's and admins'. */
export class WorkflowCatalog {
  /** A version never changes, so what is kept never grows stale. In order of use, the oldest first. */
  private readonly versions = new Map<string, WorkflowData>();

  /** The same with the options of the lists that forms name, as of their last change. */
  private readonly filled = new LRUCache<string, WorkflowData>({ max: CACHED_VERSIONS });
  private readonly configs: FormConfigs;

  constructor(private readonly database: Database) {
    this.configs = new FormConfigs(database);
  }

  /** The newest version. Throws `WORKFLOW_NOT_FOUND`, also for another's private workflow. */
  async find(id: string, caller: Caller | undefined): Promise<StoredWorkflow> {
    if (!isUuid(id)) throw workflowNotFound();
    const [workflow] = await this.withOptions(
      await this.database.query<StoredWorkflow>(
        `select ${COLUMNS} from workflow where id = $1 and (visibility = 'public' or user_id = $2 or $3)`,
        [id, caller?.userId ?? null, caller?.role === 'admin'],
      ),
    );
    if (!workflow) throw workflowNotFound();
    return workflow;
  }

  /**
   * A version by its number, whoever asks: for what was made of it earlier, when its form's values were judged by
   * the option lists of that time, which are not filled in here. Throws `WORKFLOW_NOT_FOUND`.
   */
  async version(id: string, version: number): Promise<WorkflowVersion> {
    const [found] = await this.withData(
      await this.database.query<WorkflowVersion>(
        `select workflow_id as id, version, user_id, name, label, type, output_mime_type, saved_by_admin
           from workflow_version where workflow_id = $1 and version = $2`,
        [id, version],
      ),
    );
    if (!found) throw workflowNotFound();
    return found;
  }

  /** As `find`, by the name that steps know it by. */
  async findByName(name: string, caller: Caller | undefined): Promise<StoredWorkflow> {
    const [workflow] = await this.findNamed([name], caller);
    if (!workflow) throw workflowNotFound();
    return workflow;
  }

  /** The newest versions of those of that name that the caller may use. */
  async findNamed(names: string[], caller: Caller | undefined): Promise<StoredWorkflow[]> {
    return this.withOptions(
      await this.database.query<StoredWorkflow>(
        `select ${COLUMNS} from workflow
          where name = any($1) and (visibility = 'public' or user_id = $2 or $3)`,
        [names, caller?.userId ?? null, caller?.role === 'admin'],
      ),
    );
  }

  /** Public workflows and the caller's own, newest first. Reads one more than `limit`, for paging. */
  async list(
    caller: Caller | undefined,
    { type, tag, q }: WorkflowFilter,
    { limit, after }: { limit: number; after: WorkflowKey | null },
  ): Promise<ListedWorkflow[]> {
    return this.withData(
      await this.database.query<ListedWorkflow>(LIST, [
        caller?.userId ?? null, type ?? null, tag ?? null, q === undefined ? null : `%${escapeLike(q)}%`,
        after?.[0] ?? null, after?.[1] ?? null, limit + 1,
      ]),
    );
  }

  /** Stores a checked workflow as version 1. Throws `NAME_TAKEN`. */
  async create(tx: Queryable, author: Caller, workflow: WorkflowInput): Promise<StoredWorkflow> {
    const { name, label, description, type, output_mime_type, visibility, tags, data } = workflow;
    const [row] = await tx.query<StoredWorkflow>(CREATE, [
      uuidv7(), author.userId, name, label, description, type, output_mime_type, visibility, tags,
      JSON.stringify(data), author.role === 'admin',
    ]);
    if (!row) throw nameTaken(name);
    const [created] = await this.filledIn([{ ...row, data }]);
    return created as StoredWorkflow;
  }

  /**
   * Stores a checked workflow as the next version; jobs go on with theirs. Throws `WORKFLOW_NOT_FOUND`,
   * `FORBIDDEN` where the caller may only read it, `NAME_TAKEN`.
   */
  async replace(tx: Queryable, id: string, caller: Caller, workflow: WorkflowInput): Promise<StoredWorkflow> {
    await this.lockOwn(tx, id, caller);
    const { name, label, description, type, output_mime_type, visibility, tags, data } = workflow;
    const [row] = await tx
      .query<StoredWorkflow>(REPLACE, [
        id, name, label, description, type, output_mime_type, visibility, tags, JSON.stringify(data),
        caller.role === 'admin',
      ])
      .catch((error: unknown) => {
        throw sqlState(error) === UNIQUE_VIOLATION ? nameTaken(name) : error;
      });
    const [replaced] = await this.filledIn([{ ...(row as StoredWorkflow), data }]);
    return replaced as StoredWorkflow;
  }

  /** Removes it, and frees its name. Its versions stay for the jobs and collections made of them. */
  async delete(tx: Queryable, id: string, caller: Caller): Promise<void> {
    await this.lockOwn(tx, id, caller);
    await tx.query('delete from workflow where id = $1', [id]);
  }

  private async lockOwn(tx: Queryable, id: string, { userId, role }: Caller): Promise<void> {
    if (!isUuid(id)) throw workflowNotFound();
    const [row] = await tx.query<{ own: boolean; readable: boolean }>(LOCK, [id, userId, role === 'admin']);
    if (!row?.readable) throw workflowNotFound();
    if (!row.own) throw forbidden();
  }

  /** Rows with their data, and in its form the options of the lists that fields name. */
  private async withOptions<Row extends VersionKey>(
    rows: Row[],
  ): Promise<Array<Row & { data: WorkflowData; optionsAsOf?: string }>> {
    return this.filledIn(await this.withData(rows));
  }

  private async filledIn<Workflow extends VersionKey & { data: WorkflowData }>(
    workflows: Workflow[],
  ): Promise<Array<Workflow & { optionsAsOf?: string }>> {
    const lists = await this.configs.optionsOf(workflows.flatMap(({ data }) => configNamesOf(data.form)));
    return workflows.map((workflow) => {
      const names = configNamesOf(workflow.data.form);
      if (names.length === 0) return workflow;
      const optionsAsOf = names.map((name) => lists.get(name)?.asOf ?? '').join();
      const key = `${keyOf(workflow)}:${optionsAsOf}`;
      const data = this.filled.get(key) ?? { ...workflow.data, form: withOptions(workflow.data.form, lists) };
      this.filled.set(key, data);
      return { ...workflow, data, optionsAsOf };
    });
  }

  /** Rows with their version's data, read from the database in one statement where memory has it not. */
  private async withData<Row extends VersionKey>(rows: Row[]): Promise<Array<Row & { data: WorkflowData }>> {
    const known = new Map(rows.map((row) => [keyOf(row), this.versions.get(keyOf(row))]));
    const missing = rows.filter((row) => !known.get(keyOf(row)));
    for (const row of await this.readVersions(missing)) known.set(keyOf(row), row.data);
    return rows.map((row) => {
      const data = known.get(keyOf(row)) as WorkflowData;
      this.keep(keyOf(row), data);
      return { ...row, data };
    });
  }

  private async readVersions(wanted: VersionKey[]): Promise<Array<VersionKey & { data: WorkflowData }>> {
    if (wanted.length === 0) return [];
    return this.database.query(
      `select workflow_id as id, version, data from workflow_version
        where (workflow_id, version) in (select * from unnest($1::uuid[], $2::integer[]))`,
      [wanted.map(({ id }) => id), wanted.map(({ version }) => version)],
    );
  }

  private keep(key: string, data: WorkflowData): void {
    this.versions.delete(key);
    this.versions.set(key, data);
    const [oldest] = this.versions.keys();
    if (this.versions.size > CACHED_VERSIONS && oldest) this.versions.delete(oldest);
  }
}

type VersionKey = { id: string; version: number };
const keyOf = ({ id, version }: VersionKey) => `${id}:${version}`;

/** All but `data`, which comes from the version. */
const COLUMNS = `id, user_id, name, label, description, type, output_mime_type, visibility, tags, version,
  saved_by_admin, created_at, updated_at`;

const LIST = `
  select ${COLUMNS}, created_at::text as created_at_text from workflow
   where (visibility = 'public' or user_id = $1::uuid)
     and ($2::text is null or type = $2)
     and ($3::text is null or tags @> array[$3::text])
     and ($4::text is null or name ilike $4 or label ilike $4 or description ilike $4)
     and ($5::timestamptz is null or (created_at, id) < ($5::timestamptz, $6::uuid))
   order by created_at desc, id desc
   limit $7`;

const CREATE = `
  with created as (
    insert into workflow (
      id, user_id, name, label, description, type, output_mime_type, visibility, tags, data, saved_by_admin)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11)
    on conflict (name) do nothing
    returning *
  ), first_version as (
    insert into workflow_version (
      workflow_id, version, user_id, name, label, type, output_mime_type, data, saved_by_admin)
    select id, version, user_id, name, label, type, output_mime_type, data, saved_by_admin from created
  )
  select ${COLUMNS} from created`;

const LOCK = `
  select user_id = $2 or $3 as own, user_id = $2 or $3 or visibility = 'public' as readable
    from workflow where id = $1 for update`;

const REPLACE = `
  with replaced as (
    update workflow w
       set name = $2, label = $3, description = $4, type = $5, output_mime_type = $6, visibility = $7, tags = $8,
           data = $9::jsonb, saved_by_admin = $10, version = version + 1, updated_at = now()
     where id = $1 returning *
  ), next_version as (
    insert into workflow_version (
      workflow_id, version, user_id, name, label, type, output_mime_type, data, saved_by_admin)
    select id, version, user_id, name, label, type, output_mime_type, data, saved_by_admin from replaced
  )
  select ${COLUMNS} from replaced`;
