import type { GenerateCollectionBody, PreviewRequest, SubmissionAnswer } from '#libs/client/index.js';
import { client } from './client.js';
import type {
  Asset, Collection, Credits, Estimate, Job, JobEvent, JobSummary, LedgerEntry, OwnCollection, Page, Preview,
  PublicCollection, SetStep, Token, Workflow,
} from './shapes.js';

/** Every question that the studio asks of the API. All throw `PlatenError`. */

type Cursor = string | null;

export type Order = Pick<GenerateCollectionBody, 'title' | 'workflow_id' | 'description' | 'options'> & {
  generations: number;
  variables: Record<string, unknown>;
};
export type Draft = Pick<PreviewRequest, 'code' | 'width' | 'height'> & { hash: string };
/** `data` of a collection that is made here. */
export interface NewSet {
  version: 'v2';
  steps: SetStep[];
  generations: { hashes: string[]; generations: number; use_custom_hashes: boolean };
  variables: Record<string, unknown>;
}

export const listWorkflows = (q: string, cursor: Cursor = null): Promise<Page<Workflow>> =>
  client.value.request('get', '/workflows', { query: { q: q || undefined, cursor, limit: 60 } });
export const readWorkflow = (id: string): Promise<Workflow> => client.value.request('get', `/workflows/${id}`);
export const estimate = (
  id: string, body: { variables: Record<string, unknown>; generations: number }, signal: AbortSignal,
): Promise<Estimate> => client.value.request('post', `/workflows/${id}/estimate`, { body, signal });

/** One call with one key makes one collection, however often it is repeated. */
export const generate = (body: Order, idempotencyKey: string): Promise<SubmissionAnswer> =>
  client.value.request('post', '/api/collections/generate', { body, idempotencyKey });
/** Without a number: as many as the set says. */
export const generateMore = (id: string, generations?: number, idempotencyKey?: string): Promise<SubmissionAnswer> =>
  client.value.request('post', `/collections/${id}/generations`, { body: { generations }, ...(idempotencyKey && { idempotencyKey }) });
export const createCollection = (body: { title: string; data: NewSet }): Promise<OwnCollection> =>
  client.value.request('post', '/projects/collections', { body });

export const readCollection = (id: string): Promise<OwnCollection> => client.value.request('get', `/collections/${id}`);
export const readPublicCollection = (id: string): Promise<PublicCollection> =>
  client.value.get('/collections/{id}/public', { path: { id } });
export const listPublished = (cursor: Cursor): Promise<Page<Collection>> =>
  client.value.request('get', '/collections', { query: { cursor, limit: 40 } });
/** The caller's own, drafts as well. */
export const listOwn = (cursor: Cursor): Promise<Page<Collection>> =>
  client.value.request('get', '/projects/collections', { query: { cursor, limit: 24 } });
export const readTokens = (id: string): Promise<Page<Token>> =>
  client.value.request('get', `/collections/${id}/metadata`, { query: { limit: 100 } });
export const publish = (id: string): Promise<OwnCollection> => client.value.request('post', `/collections/${id}/publish`);

export const listJobs = (query: { collection_id?: string; cursor?: Cursor; limit: number }): Promise<Page<JobSummary>> =>
  client.value.request('get', '/jobs', { query });
export const readJob = (id: string): Promise<Job> => client.value.get('/jobs/{id}', { path: { id } });
export const readHistory = (id: string, cursor: Cursor): Promise<Page<JobEvent>> =>
  client.value.request('get', `/jobs/${id}/history`, { query: { cursor, limit: 100 } });
export const cancelJob = (id: string): Promise<Job> => client.value.post('/jobs/{id}/cancel', { path: { id } });
export const resumeJob = (id: string): Promise<Job> => client.value.post('/jobs/{id}/resume', { path: { id } });

export const preview = (body: Draft, signal: AbortSignal): Promise<Preview> =>
  client.value.request('post', '/previews', { body, signal });

export const readCredits = (): Promise<Credits> => client.value.get('/credits');
export const readLedger = (cursor: Cursor): Promise<Page<LedgerEntry>> =>
  client.value.request('get', '/credits/ledger', { query: { cursor, limit: 50 } });

export function upload(file: File): Promise<Asset> {
  const body = new FormData();
  body.set('file', file);
  return client.value.request('post', '/assets', { body });
}
