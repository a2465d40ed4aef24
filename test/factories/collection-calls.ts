import type { Step } from '#libs/instruction-set/instruction-set.js';
import type { TestApi } from '../setup/api.js';

/** What the tests read out of `data` of the collections' routes: each route has a part of it. */
export interface CollectionData {
  id: string;
  project_id: string;
  collection_id: string;
  job_id: string;
  cost_breakdown: { total_credits: number };
  data: { steps: Step[]; variables: object };
  items: Array<{ id: string; action: string; images: string[]; data: { before: object } }>;
  next_cursor: string | null;
}

export interface Answered {
  status: number;
  code?: string;
  error: string | null;
  details?: Array<{ field: string }>;
  data: CollectionData;
}

const SCRIPT = { id: 'a', nodeName: 'javascript', nodePayload: { code: 'return 1', inputs: { x: '{{word}}' } } };
/** A set of one script, which costs nothing. */
export const SET = { steps: [SCRIPT], variables: { word: 'sand' } };
/** The same without variables, as a pipeline of three credits. */
export const PIPELINE = {
  credits: { base: 0, per_generation: 3 },
  pipeline: { steps: [{ ...SCRIPT, nodePayload: { code: 'return 1' } }] },
};

/** Calls of one user, or of nobody, to the routes of collections. No worker runs: `make` ends jobs by hand. */
export class CollectionCalls {
  constructor(
    private readonly api: TestApi,
    /** Absent: nobody. */
    readonly userId = '',
  ) {}

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answered> {
    const response = await fetch(`${this.api.url}${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(this.userId && this.api.as(this.userId)),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { ...((await response.json()) as Answered), status: response.status };
  }

  async dataOf(method: string, path: string, body?: unknown): Promise<CollectionData> {
    return (await this.ask(method, path, body)).data;
  }

  /** A new draft: its id, and the path of its updates. */
  async draft(body: object = {}): Promise<{ id: string; path: string }> {
    const sound = { title: 'Dunes', data: SET, ...body };
    const { id, project_id } = await this.dataOf('POST', '/projects/collections', sound);
    return { id, path: `/projects/${project_id}/collections/${id}` };
  }

  /** Submits editions, and ends their job as if they had been made. */
  async make(id: string): Promise<string> {
    const { job_id } = await this.dataOf('POST', `/collections/${id}/generations`, {});
    await this.api.database.query(
      `with ended as (update generation set status = 'completed', completed_at = now() where job_id = $1)
       update job set status = 'completed', completed = generations where id = $1`,
      [job_id],
    );
    return job_id;
  }

  /** The id of a new one that is published. */
  async published(body: object = {}): Promise<string> {
    const { id } = await this.draft(body);
    await this.make(id);
    expect(await this.ask('POST', `/collections/${id}/publish`)).toMatchObject({ status: 200 });
    return id;
  }

  async history(id: string): Promise<CollectionData['items']> {
    return (await this.dataOf('GET', `/collections/${id}/history`)).items;
  }

  async actions(id: string): Promise<string[]> {
    return (await this.history(id)).map(({ action }) => action);
  }
}
