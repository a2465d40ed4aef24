import type { Readable } from 'node:stream';
import { FormData } from 'undici';
import { classesOf, isObject, type Graph } from './graph.js';
import { downloadOf } from './output-download.js';
import type { OutputFile } from './prompt-outputs.js';
import { InputTooLarge } from './comfy-error.js';
import { refusalIn } from './prompt-refusal.js';
import { endedState, queuedIds, type PromptState } from './prompt-state.js';
import { ServerAbilities } from './server-abilities.js';
import type { ServerAddress } from './server-address.js';
import { detectFeatures, type ServerFeatures } from './server-features.js';
import { INPUT_FOLDER } from './server-files.js';
import { ServerHttp } from './server-http.js';
import { ServerSocket, type SocketTimes } from './server-socket.js';

const SUBMIT_MS = 30_000;
const UPLOAD_MS = 120_000;

export interface InputFile {
  /** Unique for its bytes. */
  name: string;
  bytes: Uint8Array;
  mimeType: string;
}

/**
 * One ComfyUI server, from 0.3 on. Its queue and history are in memory: after a restart it knows nothing. All calls
 * throw `ServerUnreachable` when it does not answer in time.
 */
export class ComfyServer {
  readonly socket: ServerSocket;
  readonly abilities: ServerAbilities;
  private readonly http: ServerHttp;
  private detected?: Promise<ServerFeatures>;
  private readonly prefix = async () => (await this.features()).prefix;

  constructor(
    readonly address: ServerAddress,
    times: { answerMs: number; sockets: SocketTimes },
  ) {
    this.http = new ServerHttp(address, times.answerMs);
    this.socket = new ServerSocket(address, this.prefix, times.sockets);
    this.abilities = new ServerAbilities(this.http, this.prefix);
  }

  get name(): string {
    return this.address.name;
  }

  /** Asked once; again after it was away, for it may have come back as another version. */
  features(): Promise<ServerFeatures> {
    if (this.detected) return this.detected;
    const detecting = detectFeatures(this.http);
    this.detected = detecting;
    detecting.catch(() => this.forget());
    return detecting;
  }

  forget(): void {
    this.detected = undefined;
    this.abilities.forget();
  }

  /** Prompts that wait or run, whoever sent them. */
  async queueLength(): Promise<number> {
    const answer = await this.get('/prompt');
    const { queue_remaining: length } = Object(Object(answer).exec_info) as { queue_remaining?: unknown };
    if (typeof length !== 'number') throw this.http.unreachable('it says nothing of its queue');
    return length;
  }

  /** The graph's classes that it lacks. */
  lackedClasses(graph: Graph): Promise<string[]> {
    return this.abilities.lackedClasses(classesOf(graph));
  }

  /**
   * Queues a graph under an id of ours, a UUID. Throws `PromptRefused`, and then nothing of it runs. No `number` is
   * sent: two prompts that are equal in id and number end the server's worker thread for good.
   */
  async submit(graph: Graph, promptId: string, clientId: string): Promise<void> {
    const body = { prompt: graph, client_id: clientId, prompt_id: promptId };
    const { status, json } = await this.post('/prompt', body, SUBMIT_MS);
    // A proxy before a server that is away.
    if ([502, 503, 504].includes(status)) throw this.http.unreachable(`POST /prompt was answered with status ${status}`);
    const refusal = refusalIn(status, json);
    if (!refusal) return;
    if (status === 200) await this.cancel(promptId);
    throw refusal;
  }

  /** History is the truth of what has ended. Between queue and history a prompt is always in one of them. */
  async state(promptId: string): Promise<PromptState> {
    const ended = (await this.ended(promptId)) ?? (await this.queued(promptId)) ?? (await this.ended(promptId));
    return ended ?? { kind: 'unknown' };
  }

  /** Takes a prompt out of the queue, or stops it at its next node or step. Idempotent; leaves others alone. */
  async cancel(promptId: string): Promise<void> {
    const { status } = await this.http.request(`/api/jobs/${promptId}/cancel`, { method: 'POST', body: {} });
    if (status === 200) return;
    // Before June 2026. What is taken out of the queue too late is running by then.
    await this.post('/queue', { delete: [promptId] });
    const state = await this.queued(promptId);
    // Before September 2025 servers stop whatever runs, so it is asked only when that is ours.
    if (state?.kind === 'running') await this.post('/interrupt', { prompt_id: promptId });
  }

  /** How a graph names the file from then on. The same bytes may be uploaded again and again. */
  async upload({ name, bytes, mimeType }: InputFile): Promise<string> {
    const { maxUploadBytes } = await this.features();
    if (maxUploadBytes !== null && bytes.length > maxUploadBytes) throw new InputTooLarge(name, maxUploadBytes);
    const form = new FormData();
    form.set('image', new Blob([bytes as Uint8Array<ArrayBuffer>], { type: mimeType }), name);
    form.set('type', 'input');
    form.set('subfolder', INPUT_FOLDER);
    const { status, json } = await this.post('/upload/image', form, UPLOAD_MS);
    if (status === 413) throw new InputTooLarge(name, maxUploadBytes);
    const { name: kept, subfolder } = Object(json) as { name?: unknown; subfolder?: unknown };
    if (status !== 200 || typeof kept !== 'string') throw this.http.unreachable(`an upload was answered with ${status}`);
    return [subfolder, kept].filter(Boolean).join('/');
  }

  /** The file's bytes. The request is made when they are read; failures are the stream's. */
  download(file: OutputFile): Readable {
    return downloadOf(this.http, this.prefix, file);
  }

  async close(): Promise<void> {
    await this.socket.close();
    await this.http.close();
  }

  private async ended(promptId: string): Promise<PromptState | undefined> {
    const entry = Object(await this.get(`/history/${promptId}`))[promptId] as unknown;
    return isObject(entry) ? endedState(entry) : undefined;
  }

  private async queued(promptId: string): Promise<PromptState | undefined> {
    // One job instead of the whole queue with all its graphs.
    if ((await this.features()).hasJobs) {
      const job = await this.http.get(`/api/jobs/${promptId}`);
      return job === null ? undefined : { kind: Object(job).status === 'pending' ? 'pending' : 'running' };
    }
    const { queue_running: running, queue_pending: pending } = Object(await this.get('/queue')) as Record<string, unknown>;
    if (queuedIds(running).includes(promptId)) return { kind: 'running' };
    return queuedIds(pending).includes(promptId) ? { kind: 'pending' } : undefined;
  }

  private async get(path: string): Promise<unknown> {
    const { prefix } = await this.features();
    return this.http.get(prefix + path);
  }

  private async post(path: string, body: unknown, timeoutMs?: number) {
    const { prefix } = await this.features();
    return this.http.request(prefix + path, { method: 'POST', body, ...(timeoutMs && { timeoutMs }) });
  }
}
