import type { GenerationView, JobView } from '#libs/generations/job-view.js';
import { eventually } from '../setup/eventually.js';
import { EventReader } from '../setup/event-source.js';

const TIMEOUT_MS = 60_000;
const JSON_TYPE = { 'content-type': 'application/json' };
const ENDED = ['completed', 'failed', 'cancelled'];

export interface Answer<Data = unknown> {
  status: number;
  headers: Headers;
  /** As it came. */
  text: string;
  body: { success: boolean; data: Data; error: string | null; code?: string; details?: unknown };
}

/** Of a submission: `data` of its answer. */
export interface Receipt {
  collection_id: string;
  job_id: string;
  status: string;
  cost_breakdown: { total_credits: number; per_generation: number; workflow_base_cost: number };
}

/** One user of one API process: HTTP and Server-Sent Events, as any client speaks them. */
export class Client {
  constructor(
    readonly url: string,
    readonly userId: string,
    readonly token: string,
  ) {}

  /** The same user at another API process. */
  at({ url }: { url: string }): Client {
    return new Client(url, this.userId, this.token);
  }

  async request<Data = unknown>(
    method: string,
    path: string,
    { body, headers, signal }: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal } = {},
  ): Promise<Answer<Data>> {
    const response = await fetch(new URL(path, this.url), {
      method,
      headers: { ...this.headers, ...(body !== undefined && JSON_TYPE), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])]),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
  }

  /** `data` of a GET that must succeed. */
  async read<Data>(path: string): Promise<Data> {
    return dataOf(await this.request<Data>('GET', path));
  }

  /** `data` of a POST that must succeed. */
  async create<Data>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Data> {
    return dataOf(await this.request<Data>('POST', path, { body, headers }));
  }

  /** All items of a list, page by page. */
  async list<Item>(path: string, limit = 100): Promise<Item[]> {
    const items: Item[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Page<Item> = await this.read(`${path}?limit=${limit}${cursor && `&cursor=${cursor}`}`);
      items.push(...page.items);
      cursor = page.next_cursor;
    }
    return items;
  }

  /** Bytes of a file, by its URL as the API gave it. */
  async download(url: string): Promise<{ status: number; type: string | null; bytes: Buffer }> {
    const response = await fetch(new URL(url, this.url), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const bytes = Buffer.from(await response.arrayBuffer());
    return { status: response.status, type: response.headers.get('content-type'), bytes };
  }

  /** `data` of a POST that brings a file. */
  async upload<Data>(path: string, file: File): Promise<Data> {
    const form = new FormData();
    form.append('file', file);
    return dataOf(await this.sendForm<Data>(path, form));
  }

  async sendForm<Data>(path: string, body: FormData, timeoutMs = TIMEOUT_MS): Promise<Answer<Data>> {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(new URL(path, this.url), { method: 'POST', headers: this.headers, body, signal });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
  }

  /** The job once it has ended, however that was. */
  async ended(jobId: string, timeoutMs = TIMEOUT_MS): Promise<JobView> {
    let job!: JobView;
    await eventually(async () => {
      job = await this.read<JobView>(`/jobs/${jobId}`);
      if (!ENDED.includes(job.status)) throw new Error(`The job ${jobId} is still ${job.status}`);
    }, timeoutMs);
    return job;
  }

  /** Opens a stream of events, after `lastEventId` where one is given. */
  events(path: string, lastEventId?: string | number): Promise<EventReader> {
    const { href } = new URL(path, this.url);
    if (lastEventId === undefined) return EventReader.open(href, this.headers);
    return EventReader.open(href, { ...this.headers, 'last-event-id': String(lastEventId) });
  }

  private get headers(): Record<string, string> {
    return { authorization: `Bearer ${this.token}` };
  }
}

/** All generations of a job, with the outputs of their steps. */
export const generationsOf = (client: Client, jobId: string): Promise<GenerationView[]> =>
  client.list(`/jobs/${jobId}/generations`);

interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

function dataOf<Data>({ status, text, body }: Answer<Data>): Data {
  if (!body.success) throw new Error(`${status} ${text}`);
  return body.data;
}
