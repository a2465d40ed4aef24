import { newKey } from './idempotency-key.js';
import { ask } from './request.js';
import type {
  Asset, Collection, Credits, Estimate, Job, JobEvent, JobSummary, LedgerEntry, Page, Preview, PublicCollection, SetStep,
  Submission, Token, Workflow,
} from './shapes.js';

/** Every question that the studio asks of the API. All throw `Failure`. */

export interface Order {
  title: string;
  workflow_id: string;
  generations: number;
  variables: Record<string, unknown>;
  options?: { auto_publish: boolean };
}

export interface Draft {
  code: string;
  hash?: string;
  width: number;
  height: number;
}

const query = (parameters: Record<string, string | number | null | undefined>): string => {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()}`;
};

export const listWorkflows = (q: string, cursor?: string | null): Promise<Page<Workflow>> =>
  ask(`/workflows${query({ q, cursor, limit: 60 })}`);
export const readWorkflow = (id: string): Promise<Workflow> => ask(`/workflows/${id}`);
export const estimate = (
  id: string, body: { variables: object; generations: number }, signal?: AbortSignal,
): Promise<Estimate> => ask(`/workflows/${id}/estimate`, { method: 'POST', body, signal });

/** One call with one key makes one collection, however often it is repeated. */
export const generate = (order: Order, idempotencyKey: string): Promise<Submission> =>
  ask('/api/collections/generate', { method: 'POST', body: order, idempotencyKey });
/** Without a number: as many as the set says. */
export const generateMore = (collectionId: string, generations?: number): Promise<Submission> =>
  ask(`/collections/${collectionId}/generations`, { method: 'POST', body: { generations }, idempotencyKey: newKey() });
export const createCollection = (
  body: { title: string; data: { steps: SetStep[]; generations: object; variables: object; version: 'v2' } },
): Promise<Collection> => ask('/projects/collections', { method: 'POST', body, idempotencyKey: newKey() });

export const readCollection = (id: string): Promise<Collection> => ask(`/collections/${id}`);
export const readPublicCollection = (id: string): Promise<PublicCollection> => ask(`/collections/${id}/public`);
export const listPublished = (cursor?: string | null): Promise<Page<Collection>> =>
  ask(`/collections${query({ cursor, limit: 40 })}`);
/** The caller's own, drafts as well. */
export const listOwn = (cursor?: string | null): Promise<Page<Collection>> =>
  ask(`/projects/collections${query({ cursor, limit: 24 })}`);
export const readTokens = (id: string, cursor?: string | null): Promise<Page<Token>> =>
  ask(`/collections/${id}/metadata${query({ cursor, limit: 100 })}`);
export const publish = (id: string): Promise<Collection> => ask(`/collections/${id}/publish`, { method: 'POST' });

export const listJobs = (filter: { collection_id?: string; cursor?: string | null; limit?: number }) =>
  ask<Page<JobSummary>>(`/jobs${query(filter)}`);
export const readJob = (id: string): Promise<Job> => ask(`/jobs/${id}`);
export const readHistory = (id: string, cursor?: string | null): Promise<Page<JobEvent>> =>
  ask(`/jobs/${id}/history${query({ cursor, limit: 100 })}`);
export const cancelJob = (id: string): Promise<Job> => ask(`/jobs/${id}/cancel`, { method: 'POST' });
export const resumeJob = (id: string): Promise<Job> =>
  ask(`/jobs/${id}/resume`, { method: 'POST', idempotencyKey: newKey() });

export const preview = (draft: Draft, signal?: AbortSignal): Promise<Preview> =>
  ask('/previews', { method: 'POST', body: draft, signal });

export const readCredits = (): Promise<Credits> => ask('/credits');
export const readLedger = (cursor?: string | null): Promise<Page<LedgerEntry>> =>
  ask(`/credits/ledger${query({ cursor, limit: 50 })}`);

export function upload(file: File): Promise<Asset> {
  const body = new FormData();
  body.set('file', file);
  return ask('/assets', { method: 'POST', body });
}
