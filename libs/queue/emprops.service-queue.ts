import { buffer } from 'node:stream/consumers';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { OutboundClient, type OutboundRequest } from '#libs/outbound/outbound-client.js';
import { OutboundError } from '#libs/outbound/outbound-error.js';
import { EmpropsSocket } from './emprops-socket.js';
import {
  fractionOf, ServiceQueueUnavailable, type ServiceJob, type ServiceJobListener, type ServiceJobReference,
  type ServiceJobState, type ServiceQueue,
} from './service-queue.js';

const CALL_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024 ** 2;
/** Pages of the list of jobs, 100 each, that are looked through for one whose answer was lost. */
const PAGES = 10;
const PAGE = 100;

const STATES: Readonly<Record<string, ServiceJobState['state']>> = {
  pending: 'waiting', queued: 'waiting', assigned: 'waiting', accepted: 'waiting', in_progress: 'running',
  completed: 'completed', failed: 'failed', cancelled: 'failed', timeout: 'failed', unworkable: 'failed',
};

/**
 * The origin platform's job queue: jobs by HTTP, their progress by websocket. It knows neither authentication nor
 * repeats, so a job carries its token in `ctx`, and is looked for by it before it is added again.
 */
export class EmpropsServiceQueue implements ServiceQueue {
  private readonly client: OutboundClient;
  private readonly base: string;
  private readonly socket: EmpropsSocket;

  constructor(url: string, onError: (error: Error) => void = () => undefined) {
    const { hostname, port, protocol } = new URL(url);
    this.client = new OutboundClient({ allowedHosts: [`${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`] });
    this.base = url.replace(/\/+$/, '');
    this.socket = new EmpropsSocket(`${this.base.replace(/^http/, 'ws')}/ws/client`, onError);
  }

  async add(job: ServiceJob, listener: ServiceJobListener): Promise<ServiceJobReference> {
    const { service, token, payload, requirements, priority, userId, generationId } = job;
    const { job_id } = objectOf(await this.call('/api/jobs', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        service_required: service, payload, priority, requirements: requirements ?? {}, customer_id: userId,
        // Trying again is the engine's part.
        max_retries: 0,
        ctx: { platen_token: token, generation_id: generationId },
      }),
    }));
    if (typeof job_id !== 'string') throw new ServiceQueueUnavailable();
    const reference = { service, id: job_id };
    this.follow(reference, listener);
    return reference;
  }

  async find(service: string, token: string): Promise<ServiceJobReference | null> {
    for (let page = 0; page < PAGES; page++) {
      const { jobs } = objectOf(await this.call(`/api/jobs?limit=${PAGE}&offset=${page * PAGE}`));
      const listed = Array.isArray(jobs) ? jobs.map(objectOf) : [];
      const found = listed.find(({ ctx }) => objectOf(ctx)['platen_token'] === token);
      if (found) return { service, id: String(found['id'] ?? found['job_id']) };
      if (listed.length < PAGE) break;
    }
    return null;
  }

  async look({ id }: ServiceJobReference): Promise<ServiceJobState> {
    const { job } = objectOf(await this.call(`/api/jobs/${encodeURIComponent(id)}`));
    const { status, progress, result, error } = objectOf(job);
    // A state of a later version is no reason to have the work done twice.
    const state = job ? (STATES[String(status)] ?? 'waiting') : 'lost';
    const told = objectOf(result);
    // A job may be completed with a result that says it failed.
    const failed = state === 'failed' || told['status'] === 'failed';
    return {
      state: failed ? 'failed' : state,
      progress: fractionOf(progress),
      result: told['data'] ?? result ?? null,
      reason: failed ? textOf(told['error'] ?? error) : null,
    };
  }

  async cancel({ id }: ServiceJobReference): Promise<void> {
    await this.socket.cancel(id);
  }

  follow({ id }: ServiceJobReference, listener: ServiceJobListener): void {
    this.socket.follow(id, listener);
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.client.close();
  }

  /** What is unknown there is an empty object. */
  private async call(path: string, request: OutboundRequest = {}): Promise<Json> {
    try {
      const limits = { totalMs: CALL_MS, headersMs: CALL_MS, maxBytes: MAX_ANSWER_BYTES };
      const { status, body } = await this.client.request(this.base + path, { ...limits, ...request });
      const text = String(await buffer(body));
      if (status === 404) return {};
      if (status >= 200 && status < 300) return JSON.parse(text) as Json;
    } catch (error) {
      if (!(error instanceof OutboundError || error instanceof SyntaxError)) throw error;
    }
    throw new ServiceQueueUnavailable();
  }
}

const objectOf = (value: Json | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};

function textOf(value: Json | undefined): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
