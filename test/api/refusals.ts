import type { Hindrances } from './hindrances.js';
import { IMAGE_REFUSALS } from './image-refusals.js';
import { OPERATOR_REFUSALS } from './operator-refusals.js';
import { PROVENANCE_REFUSALS } from './provenance-refusals.js';
import type { Outcome } from './routes.js';
import { TOKEN_REFUSALS } from './token-refusals.js';

export interface Refusal {
  route: string;
  outcome: Outcome;
  /** Who asks; default the tenant. */
  as?: (h: Hindrances) => string;
  at?: (h: Hindrances) => Record<string, string>;
  query?: (h: Hindrances) => string;
  body?: (h: Hindrances) => unknown;
  /** Beside the credentials. */
  headers?: () => Record<string, string>;
}

const UNKNOWN = '0193fd6c-0000-7000-8000-000000000009';
const GENERATE = 'POST /api/collections/generate';
const DRAFT = 'POST /projects/collections';
const MORE = 'POST /collections/:id/generations';
const UPDATE = 'PUT /projects/:projectId/collections/:collectionId';
const REMIX = 'POST /collections/:id/remix';

/** A form with these files. */
export function filesOf(type: string, ...contents: Array<string | Uint8Array<ArrayBuffer>>): FormData {
  const form = new FormData();
  for (const content of contents) form.append('file', new Blob([content], { type }), 'upload');
  return form;
}

const draft = ({ tenant }: Hindrances) => ({ id: tenant.collectionId });
const planned = ({ tenant }: Hindrances) => ({ projectId: tenant.projectId, collectionId: tenant.collectionId });
const cancelled = ({ tenant }: Hindrances) => ({ id: tenant.cancelledJobId, index: '0' });
const pending = ({ tenant }: Hindrances) => ({ id: tenant.jobId, index: '0' });
const beyond = ({ tenant }: Hindrances) => ({ id: tenant.jobId, index: '99' });
const spentJob = ({ spentJobId }: Hindrances) => ({ id: spentJobId, index: '0' });
const poor = (h: Hindrances) => h.poor;
const narrow = (h: Hindrances) => h.narrow;
const busy = (h: Hindrances) => h.busy;
const dunes =
  (differs: object = {}) =>
  ({ workflowId }: Hindrances) => ({ title: 'Dunes', workflow_id: workflowId, ...differs });

/** Requests that are well-formed and still refused, one of each kind that a route documents. */
export const REFUSALS: Refusal[] = [
  ...IMAGE_REFUSALS,
  ...TOKEN_REFUSALS,
  ...PROVENANCE_REFUSALS,
  ...OPERATOR_REFUSALS,
  {
    route: GENERATE,
    outcome: '400 VALIDATION_ERROR',
    body: dunes({ generations: 0, variables: { colour: 1 }, x: 1 }),
  },
  {
    route: GENERATE,
    outcome: '400 WORKFLOW_NOT_EXECUTABLE',
    body: ({ formId }) => ({ title: 'Dunes', workflow_id: formId }),
  },
  {
    route: GENERATE,
    outcome: '409 MODEL_UNAVAILABLE',
    body: ({ graphId }) => ({ title: 'Dunes', workflow_id: graphId }),
  },
  { route: GENERATE, outcome: '402 INSUFFICIENT_CREDITS', as: poor, body: dunes() },
  { route: GENERATE, outcome: '404 WORKFLOW_NOT_FOUND', body: dunes({ workflow_id: UNKNOWN }) },
  { route: GENERATE, outcome: '404 PROJECT_NOT_FOUND', body: dunes({ project_id: UNKNOWN }) },
  {
    route: GENERATE,
    outcome: '409 EDITIONS_EXHAUSTED',
    body: dunes({ generations: 2, metadata: { editions: 1 } }),
  },
  { route: GENERATE, outcome: '429 TOO_MANY_INFLIGHT', as: narrow, body: dunes({ generations: 2 }) },
  {
    route: DRAFT,
    outcome: '400 VALIDATION_ERROR',
    body: () => ({ data: { steps: [{ id: 'a', nodeName: 'none' }] } }),
  },
  {
    route: DRAFT,
    outcome: '404 PROJECT_NOT_FOUND',
    query: () => `?project_id=${UNKNOWN}`,
    body: () => ({}),
  },
  { route: DRAFT, outcome: '404 NOT_FOUND', query: () => '?asset_id=999999', body: () => ({}) },
  {
    route: MORE,
    outcome: '400 VALIDATION_ERROR',
    at: ({ fullCollectionId }) => ({ id: fullCollectionId }),
    body: () => ({ variables: { colour: 1 } }),
  },
  {
    route: MORE,
    outcome: '409 MODEL_UNAVAILABLE',
    at: ({ graphCollectionId }) => ({ id: graphCollectionId }),
    body: () => ({}),
  },
  {
    route: MORE,
    outcome: '409 EDITIONS_EXHAUSTED',
    at: ({ fullCollectionId }) => ({ id: fullCollectionId }),
    body: () => ({}),
  },
  {
    route: MORE,
    outcome: '402 INSUFFICIENT_CREDITS',
    as: poor,
    at: ({ spentCollectionId }) => ({ id: spentCollectionId }),
    body: () => ({}),
  },
  {
    route: MORE,
    outcome: '429 TOO_MANY_INFLIGHT',
    as: narrow,
    at: ({ pairCollectionId }) => ({ id: pairCollectionId }),
    body: () => ({ generations: 2 }),
  },
  { route: 'GET /collections', outcome: '400 VALIDATION_ERROR', query: () => '?blockchain=DOGE&q=' },
  { route: UPDATE, outcome: '400 VALIDATION_ERROR', at: planned, body: () => ({ editions: 0 }) },
  {
    route: UPDATE,
    outcome: '404 COLLECTION_NOT_FOUND',
    at: (h) => ({ ...planned(h), collectionId: UNKNOWN }),
    body: () => ({ title: 'Dunes' }),
  },
  { route: UPDATE, outcome: '409 EDITIONS_EXHAUSTED', at: planned, body: () => ({ editions: 1 }) },
  { route: 'POST /collections/:id/publish', outcome: '409 COLLECTION_NOT_PUBLISHABLE', at: draft },
  { route: 'POST /collections/:id/archive', outcome: '400 VALIDATION_ERROR', at: draft, body: () => ({ archived: 1 }) },
  { route: 'DELETE /collections/:id', outcome: '409 INVALID_JOB_STATUS', at: draft },
  { route: REMIX, outcome: '400 VALIDATION_ERROR', at: draft, body: () => ({ project_id: 'x' }) },
  { route: REMIX, outcome: '404 PROJECT_NOT_FOUND', at: draft, body: () => ({ project_id: UNKNOWN }) },
  { route: 'GET /collections/:id/history', outcome: '400 VALIDATION_ERROR', at: draft, query: () => '?limit=101' },
  { route: 'POST /jobs/:id/cancel', outcome: '409 INVALID_JOB_STATUS', at: cancelled },
  { route: 'POST /jobs/:id/resume', outcome: '409 INVALID_JOB_STATUS', at: pending },
  { route: 'POST /jobs/:id/resume', outcome: '402 INSUFFICIENT_CREDITS', as: poor, at: spentJob },
  { route: 'POST /jobs/:id/generations/:index/cancel', outcome: '404 GENERATION_NOT_FOUND', at: beyond },
  {
    route: 'POST /jobs/:id/generations/:index/cancel',
    outcome: '409 INVALID_GENERATION_STATUS',
    at: cancelled,
  },
  { route: 'POST /jobs/:id/generations/:index/resume', outcome: '404 GENERATION_NOT_FOUND', at: beyond },
  {
    route: 'POST /jobs/:id/generations/:index/resume',
    outcome: '409 INVALID_GENERATION_STATUS',
    at: pending,
  },
  {
    route: 'POST /jobs/:id/generations/:index/resume',
    outcome: '402 INSUFFICIENT_CREDITS',
    as: poor,
    at: spentJob,
  },
  {
    route: 'POST /workflows',
    outcome: '409 NAME_TAKEN',
    body: ({ tenant }) => ({ name: tenant.canary, type: 'basic', data: {} }),
  },
  {
    route: 'POST /workflows',
    outcome: '400 VALIDATION_ERROR',
    body: () => ({ name: '', type: 'basic', data: [] }),
  },
  {
    route: 'PUT /workflows/:id',
    outcome: '403 FORBIDDEN',
    as: poor,
    at: ({ workflowId }) => ({ id: workflowId }),
    body: ({ tenant }) => ({ name: `mine ${tenant.canary}`, type: 'basic', data: {} }),
  },
  {
    route: 'PUT /workflows/:id',
    outcome: '400 VALIDATION_ERROR',
    at: ({ workflowId }) => ({ id: workflowId }),
    body: () => ({ name: '', type: 'basic', data: [] }),
  },
  {
    route: 'PUT /workflows/:id',
    outcome: '409 NAME_TAKEN',
    at: ({ workflowId }) => ({ id: workflowId }),
    body: ({ tenant }) => ({ name: tenant.canary, type: 'basic', data: {} }),
  },
  {
    route: 'DELETE /workflows/:id',
    outcome: '403 FORBIDDEN',
    as: poor,
    at: ({ workflowId }) => ({ id: workflowId }),
  },
  {
    route: 'POST /workflows/:id/test',
    outcome: '409 MODEL_UNAVAILABLE',
    at: ({ graphId }) => ({ id: graphId }),
    body: () => ({}),
  },
  {
    route: 'POST /workflows/:id/test',
    outcome: '402 INSUFFICIENT_CREDITS',
    as: poor,
    at: ({ workflowId }) => ({ id: workflowId }),
    body: () => ({}),
  },
  {
    route: 'POST /workflows/:id/test',
    outcome: '400 WORKFLOW_NOT_EXECUTABLE',
    at: ({ formId }) => ({ id: formId }),
    body: () => ({}),
  },
  {
    route: 'POST /workflows/:id/test',
    outcome: '429 TOO_MANY_INFLIGHT',
    as: busy,
    at: ({ workflowId }) => ({ id: workflowId }),
    body: () => ({}),
  },
  {
    route: 'POST /workflows/:id/test',
    outcome: '400 VALIDATION_ERROR',
    at: ({ workflowId }) => ({ id: workflowId }),
    body: () => ({ variables: { colour: 1 } }),
  },
  {
    route: 'POST /workflows/:id/estimate',
    outcome: '400 VALIDATION_ERROR',
    at: ({ workflowId }) => ({ id: workflowId }),
    body: () => ({ variables: { colour: 1 }, generations: 0 }),
  },
  {
    route: 'POST /assets',
    outcome: '400 VALIDATION_ERROR',
    body: () => filesOf('text/plain', 'one', 'two'),
  },
  {
    route: 'POST /assets',
    outcome: '415 UNSUPPORTED_MEDIA_TYPE',
    body: () => filesOf('image/png', Uint8Array.of(0, 255)),
  },
  {
    route: 'POST /assets',
    outcome: '413 PAYLOAD_TOO_LARGE',
    body: () => filesOf('text/plain', 'x'.repeat(20_000)),
  },
  {
    route: 'POST /assets',
    outcome: '402 STORAGE_QUOTA_EXCEEDED',
    as: narrow,
    body: () => filesOf('text/plain', 'text'),
  },
  { route: 'POST /api-keys', outcome: '403 FORBIDDEN', body: () => ({ name: 'server', role: 'admin' }) },
  {
    route: 'GET /jobs',
    outcome: '400 VALIDATION_ERROR',
    query: () => '?limit=0&status=none&collection_id=1&x=1',
  },
  { route: 'GET /projects/collections', outcome: '400 VALIDATION_ERROR', query: () => '?status=lost&project_id=x' },
  { route: 'GET /projects', outcome: '400 VALIDATION_ERROR', query: () => '?cursor=abc' },
  {
    route: 'GET /jobs/:id/history',
    outcome: '400 VALIDATION_ERROR',
    at: pending,
    query: () => '?limit=101',
  },
  {
    route: 'GET /jobs/:id/generations',
    outcome: '400 VALIDATION_ERROR',
    at: pending,
    query: () => '?cursor=%00',
  },
  {
    route: 'GET /jobs/:id/deliveries',
    outcome: '400 VALIDATION_ERROR',
    at: pending,
    query: () => '?cursor=WyJ4Il0',
  },
  {
    route: 'POST /jobs/:id/deliveries/:deliveryId/resend',
    outcome: '404 NOT_FOUND',
    at: ({ tenant }) => ({ id: tenant.cancelledJobId, deliveryId: tenant.deliveryId }),
  },
  { route: 'GET /assets', outcome: '400 VALIDATION_ERROR', query: () => '?limit=x' },
  { route: 'GET /credits/ledger', outcome: '400 VALIDATION_ERROR', query: () => '?limit=1.5' },
  { route: 'GET /api-keys', outcome: '400 VALIDATION_ERROR', query: () => '?cursor=WyIxIl0' },
  { route: 'GET /form-configs', outcome: '400 VALIDATION_ERROR', query: () => '?cursor=abc' },
  {
    route: 'POST /form-configs',
    outcome: '409 NAME_TAKEN',
    body: ({ tenant }) => ({ name: tenant.formConfig.name, options: [{ value: 1 }] }),
  },
  {
    route: 'PUT /form-configs/:id',
    outcome: '409 NAME_TAKEN',
    at: ({ tenant }) => tenant.formConfig,
    body: ({ takenListName }) => ({ name: takenListName, options: [{ value: 1 }] }),
  },
  { route: 'GET /secrets', outcome: '400 VALIDATION_ERROR', query: () => '?cursor=WyIqIl0' },
  { route: 'GET /workflows', outcome: '400 VALIDATION_ERROR', query: () => `?q=${'x'.repeat(101)}` },
];
