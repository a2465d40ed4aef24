import { dataOf } from './answers.js';
import { followStream, type JobStreamEvent, type StreamEvent, type StreamOptions } from './event-stream.js';
import type { CallArguments, DataOf, ItemOf, ListPath, Method, PathOf } from './operations.js';
import type { RequestOptions } from './outgoing-request.js';
import { PlatenError } from './platen-error.js';
import type { JobAnswer } from './schema.js';
import { Transport, type TransportOptions } from './transport.js';

export type PlatenOptions = TransportOptions;

/**
 * A Platen, as one caller sees it. Calls give `data` of the answer and fail with a `PlatenError`. What can be
 * repeated without harm is, for as long as `patienceMs`: every POST that takes an `Idempotency-Key` is sent with one.
 */
export class Platen {
  private readonly transport: Transport;

  constructor(options: PlatenOptions) {
    this.transport = new Transport(options);
  }

  get<Path extends PathOf<'get'>>(path: Path, ...options: CallArguments<'get', Path>): Promise<DataOf<'get', Path>> {
    return this.call('get', path, options[0]);
  }

  post<Path extends PathOf<'post'>>(path: Path, ...options: CallArguments<'post', Path>): Promise<DataOf<'post', Path>> {
    return this.call('post', path, options[0]);
  }

  put<Path extends PathOf<'put'>>(path: Path, ...options: CallArguments<'put', Path>): Promise<DataOf<'put', Path>> {
    return this.call('put', path, options[0]);
  }

  patch<Path extends PathOf<'patch'>>(path: Path, ...options: CallArguments<'patch', Path>): Promise<DataOf<'patch', Path>> {
    return this.call('patch', path, options[0]);
  }

  delete<Path extends PathOf<'delete'>>(
    path: Path,
    ...options: CallArguments<'delete', Path>
  ): Promise<DataOf<'delete', Path>> {
    return this.call('delete', path, options[0]);
  }

  /** Every item of a list, page by page as they are asked for. */
  async *list<Path extends ListPath>(path: Path, ...[options]: CallArguments<'get', Path>): AsyncGenerator<ItemOf<Path>> {
    const { query, ...others } = (options ?? {}) as RequestOptions;
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page: Page<ItemOf<Path>> = await this.call('get', path, { ...others, query: { ...query, cursor } });
      yield* page.items;
      const next = page.next_cursor ?? null;
      if (next === cursor && next !== null) throw new PlatenError('NOT_PLATEN', `${path} gives the same page again and again.`);
      cursor = next;
    }
  }

  /**
   * A job as it is made: a `snapshot`, then each of its events once and in order, to its end. Connections that break
   * are made anew, behind the last event seen. To watch is not to own: a `signal` ends the watching, not the job.
   */
  watch(jobId: string, options?: StreamOptions): AsyncGenerator<JobStreamEvent> {
    return this.events(`/jobs/${encodeURIComponent(jobId)}/events`, options) as AsyncGenerator<JobStreamEvent>;
  }

  /** Waits for the end of a job, whatever it is, and gives the job. */
  async finished(jobId: string, options?: StreamOptions): Promise<JobAnswer> {
    for await (const _ of this.watch(jobId, options));
    return this.get('/jobs/{id}', { path: { id: jobId }, ...(options?.signal && { signal: options.signal }) });
  }

  /** Any stream of events, such as `/events`: those of all of one's jobs. */
  events(path: string, options?: StreamOptions): AsyncGenerator<StreamEvent> {
    return followStream(this.transport, path, options);
  }

  /** The bytes of a file, by its `url` as the API gives it. */
  download(url: string, options: RequestOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return this.transport.send('GET', url, options, async (answer) => new Uint8Array(await answer.arrayBuffer()));
  }

  /** `data` of a call that has no type here; the path with its values in it. */
  request<Data>(method: Method, path: string, options: RequestOptions = {}): Promise<Data> {
    return this.transport.send(method.toUpperCase(), path, options, dataOf<Data>);
  }

  private call<Data>(method: Method, template: string, options?: object): Promise<Data> {
    const { path = {}, ...request } = (options ?? {}) as RequestOptions & { path?: Record<string, string | number> };
    return this.request(method, filled(template, path), request);
  }
}

interface Page<Item> {
  items: Item[];
  next_cursor?: string | null;
}

/** `/jobs/{id}` with the id in it. */
const filled = (template: string, values: Record<string, string | number>): string =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));

