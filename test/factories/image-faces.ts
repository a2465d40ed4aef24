import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { startWorker } from '#apps/worker/main.js';
import { loadEnvironment } from '#libs/config/environment.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { ReplicateServer } from '#libs/providers/stand-in/replicate-server.js';
import { freePort } from '../../src/embedded/free-port.js';
import { JWT_SECRET, MASTER_KEY, startTestApi, type FirstTestApi } from '../setup/api.js';
import { eventually } from '../setup/eventually.js';
import { createUser } from './job-submission.js';

export interface Told {
  status: number;
  headers: Headers;
  text: string;
  json: { success: boolean; data: JsonObject; error: string | null; code?: string; details?: unknown };
}

/** The API and a worker with a stand-in for Replicate, which reports to them. */
export class ImageFaces {
  private constructor(
    readonly api: FirstTestApi,
    readonly replicate: ReplicateServer,
    private readonly worker: { close(): Promise<void> },
  ) {}

  /** `reports: false`: nobody tells of predictions' ends. */
  static async start(variables: Record<string, string> = {}, { reports = true } = {}): Promise<ImageFaces> {
    const replicate = await ReplicateServer.start();
    const port = await freePort();
    const all = {
      REPLICATE_BASE_URL: replicate.apiUrl, REPLICATE_API_TOKEN: replicate.token,
      ...(reports && { REPLICATE_WEBHOOK_SECRET: replicate.dials.webhookSecret }),
      PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}`, LOG_LEVEL: 'silent', V1_WAIT_SECONDS: '5', ...variables,
      ALLOWED_HOSTS: [replicate.deliveryHost, variables['ALLOWED_HOSTS'] ?? []].flat().join(','),
    };
    const api = await startTestApi(all);
    const worker = await startWorker(loadEnvironment({
      NODE_ENV: 'test', JWT_SECRET, PLATEN_MASTER_KEY: MASTER_KEY, ...all, WORKER_PORT: '0', DATABASE_URL: api.databaseUrl,
      PLATEN_HOME: api.home, STORAGE_PATH: join(api.home, 'storage'),
      WORKER_LANES: variables['WORKER_LANES'] ?? 'provider,default',
    }));
    return new ImageFaces(api, replicate, worker);
  }

  /** A user with this many credits. */
  user(credits = 100): Promise<string> {
    return createUser(this.api.database, credits);
  }

  /** JSON, or a form. */
  async call(userId: string, route: string, body?: object, headers: Record<string, string> = {}): Promise<Told> {
    const [method = '', path = ''] = route.split(' ');
    const isForm = body instanceof FormData;
    const response = await fetch(this.api.url + path, {
      method,
      headers: { ...this.api.as(userId), ...(body && !isForm && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: isForm ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: JSON.parse(text) as Told['json'] };
  }

  /** Reads it again and again until it is in this state. */
  async becomes(userId: string, path: string, status: string, timeoutMs = 15_000): Promise<JsonObject> {
    let data: JsonObject = {};
    await eventually(async () => {
      ({ data } = (await this.call(userId, `GET ${path}`)).json);
      expect(data['status']).toBe(status);
    }, timeoutMs);
    return data;
  }

  async account(userId: string) {
    const [row] = await this.api.database.query<{
      balance: string; held: string; open_generations: number; in_flight: number; usage_generations: number;
    }>('select balance, held, open_generations, in_flight, usage_generations from account where user_id = $1', [userId]);
    const { balance, held, open_generations: open, in_flight: inFlight, usage_generations: used } = row!;
    return { balance: Number(balance) / 1e6, held: Number(held) / 1e6, open, inFlight, used };
  }

  async close(): Promise<void> {
    await this.worker.close();
    await this.api.close();
    await this.replicate.close();
  }
}

export const someKey = () => ({ 'idempotency-key': randomUUID() });

/** Texts, and files that say they are PNG. */
export function formOf(fields: Record<string, string>, files: Record<string, Uint8Array> = {}): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  for (const [name, bytes] of Object.entries(files)) form.append(name, new Blob([Uint8Array.from(bytes)], { type: 'image/png' }), `${name}.png`);
  return form;
}
