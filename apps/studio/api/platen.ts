import type { GenerateCollectionBody, PreviewRequest } from '#libs/client/index.js';
import { client } from './client.js';
import type { Asset, OwnCollection, Page, SetStep, Workflow } from './shapes.js';

/** Every question that the studio asks of the API. All throw `PlatenError`. */

export type Order = Pick<GenerateCollectionBody, 'title' | 'workflow_id' | 'description' | 'metadata' | 'options'> & Asked;
export type Draft = Pick<PreviewRequest, 'code' | 'width' | 'height'> & { hash: string };
/** What an order's price depends on. */
export interface Asked {
  variables: Record<string, unknown>;
  generations: number;
}
/** `data` of a collection that is made here. */
export type NewSet = {
  version: 'v2';
  steps: SetStep[];
  generations: { hashes: string[]; generations: number; use_custom_hashes: boolean };
  variables: Record<string, unknown>;
};

export const listWorkflows = (q: string, cursor?: string) =>
  client.value.get('/workflows', { query: { q: q || undefined, cursor, limit: 60 } }) as Promise<Page<Workflow>>;
export const readWorkflow = (id: string) => client.value.get('/workflows/{id}', { path: { id } }) as Promise<Workflow>;
export const estimate = (id: string, body: Asked, signal: AbortSignal) =>
  client.value.post('/workflows/{id}/estimate', { path: { id }, body, signal });

/** One call with one key makes one collection, however often it is repeated. */
export const generate = (body: Order, idempotencyKey: string) =>
  client.value.post('/api/collections/generate', { body, idempotencyKey });
/** Without a number: as many as the set says. */
export const generateMore = (id: string, generations?: number, idempotencyKey?: string) =>
  client.value.post('/collections/{id}/generations', { path: { id }, body: { generations }, idempotencyKey });
export const createCollection = (body: { title: string; data: NewSet }) => client.value.post('/projects/collections', { body });

export const readCollection = (id: string) => client.value.get('/collections/{id}', { path: { id } }) as Promise<OwnCollection>;
export const readPublicCollection = (id: string) => client.value.get('/collections/{id}/public', { path: { id } });
export const listPublished = (cursor?: string) => client.value.get('/collections', { query: { cursor, limit: 40 } });
/** The caller's own, drafts as well. */
export const listOwn = (cursor?: string) => client.value.get('/projects/collections', { query: { cursor, limit: 24 } });
export const readTokens = (id: string) => client.value.get('/collections/{id}/metadata', { path: { id }, query: { limit: 100 } });
export const publish = (id: string) => client.value.post('/collections/{id}/publish', { path: { id } });

export const listJobs = (query: { collection_id?: string; cursor?: string; limit: number }) => client.value.get('/jobs', { query });
export const readJob = (id: string) => client.value.get('/jobs/{id}', { path: { id } });
/** Its events from the first, as they are asked for. */
export const readHistory = (id: string) => client.value.list('/jobs/{id}/history', { path: { id }, query: { limit: 100 } });
export const cancelJob = (id: string) => client.value.post('/jobs/{id}/cancel', { path: { id } });
export const resumeJob = (id: string) => client.value.post('/jobs/{id}/resume', { path: { id } });

export const preview = (body: Draft, signal: AbortSignal) => client.value.post('/previews', { body, signal });

export const readCredits = () => client.value.get('/credits');
export const readLedger = (cursor?: string) => client.value.get('/credits/ledger', { query: { cursor, limit: 50 } });

export function upload(file: File): Promise<Asset> {
  const body = new FormData();
  body.set('file', file);
  return client.value.post('/assets', { body });
}
