import type { ErrorCode } from '#libs/errors/app-error.js';
import type { Tenant } from './tenant.js';

/** Status of an answer, and the code of one that is no success. */
export type Outcome = `${number}` | `${number} ${ErrorCode}`;

export const CALLERS = ['anonymous', 'expired', 'other', 'admin', 'owner'] as const;
export type CallerName = (typeof CALLERS)[number];

export interface RouteCase {
  /** What each caller gets who asks for the owner's things. */
  gets: Record<CallerName, Outcome>;
  /** Parameters of the path that lead to the owner's things. */
  at?: (tenant: Tenant) => Record<string, string>;
  /** JSON, or a form. */
  body?: (tenant: Tenant) => unknown;
  /** The owner's answer shows what others must not see: so the test would notice. */
  isTelling?: true;
  /** A signature over the bytes is judged before they are read. */
  isSigned?: true;
  /** The path names what is to be kept: any name will do. */
  isNaming?: true;
}

const LOCKED = { anonymous: '401 UNAUTHENTICATED', expired: '401 UNAUTHENTICATED' } as const;

/** Same for everyone. */
const open = (all: Outcome) => ({ anonymous: all, expired: all, other: all, admin: all, owner: all });
/** Each caller's own things. */
const personal = (all: Outcome) => ({ ...LOCKED, other: all, admin: all, owner: all });
/** To all but its owner it does not exist. */
const owned = (owner: Outcome, others: Outcome) => ({ ...LOCKED, other: others, admin: others, owner });
/** As `owned`, on a route that is open for what is public. */
const unpublished = (owner: Outcome, others: Outcome, admin: Outcome) => ({
  anonymous: others, expired: others, other: others, admin, owner,
});
const admins = (admin: Outcome) => ({ ...LOCKED, other: '403 FORBIDDEN', admin,
  owner: '403 FORBIDDEN' }) as const;

const project = ({ projectId }: Tenant) => ({ id: projectId });
const collection = ({ collectionId }: Tenant) => ({ id: collectionId });
const madeCollection = ({ madeCollectionId }: Tenant) => ({ id: madeCollectionId });
const job = ({ jobId }: Tenant) => ({ id: jobId });
const edition = ({ jobId }: Tenant) => ({ id: jobId, index: '1' });
const asset = ({ assetId }: Tenant) => ({ id: assetId });
const image = ({ imageId }: Tenant) => ({ id: imageId });
const v1Image = ({ v1ImageId }: Tenant) => ({ id: v1ImageId });
const workflow = ({ workflowId }: Tenant) => ({ id: workflowId });

function textFile(): FormData {
  const form = new FormData();
  form.set('file', new Blob(['text'], { type: 'text/plain' }), 'text.txt');
  return form;
}

export const TWO_STEP = {
  productImages: ['https://images.example/shoe.jpg'], model: 'owner/name', style: 'minimal', quality: 'auto', aspectRatio: '1:1',
};

const DRAFT = { steps: [{ id: 'a', nodeName: 'javascript', nodePayload: { code: 'return 1' } }],
  variables: {} };

/** Every route of the API: who gets what. Routes of Bull Board are below `BOARD`. */
export const ROUTES: Record<string, RouteCase> = {
  'POST /api/collections/generate': {
    gets: { ...owned('201', '404 WORKFLOW_NOT_FOUND'), admin: '404 PROJECT_NOT_FOUND' },
    body: ({ workflowId, projectId }) => ({ title: 'Dunes', workflow_id: workflowId, project_id: projectId }),
  },
  'POST /projects/collections': { gets: personal('201'), body: () => ({ title: 'Dunes', data: DRAFT }) },
  'GET /collections': { gets: open('200') },
  'PUT /projects/:projectId/collections/:collectionId': {
    gets: owned('200', '404 PROJECT_NOT_FOUND'),
    at: ({ projectId, collectionId }) => ({ projectId, collectionId }),
    body: () => ({ title: 'Dunes', data: DRAFT }), isTelling: true,
  },
  'POST /collections/:id/publish': {
    gets: owned('200', '404 COLLECTION_NOT_FOUND'), at: madeCollection, isTelling: true,
  },
  'POST /collections/:id/archive': {
    gets: owned('200', '404 COLLECTION_NOT_FOUND'), at: collection, body: () => ({ archived: true }), isTelling: true,
  },
  'POST /collections/:id/remix': {
    gets: owned('201', '404 COLLECTION_NOT_FOUND'), at: collection, body: () => ({}), isTelling: true,
  },
  'GET /collections/:id/history': {
    gets: owned('200', '404 COLLECTION_NOT_FOUND'), at: collection, isTelling: true,
  },
  'DELETE /collections/:id': { gets: owned('200', '404 COLLECTION_NOT_FOUND'), at: madeCollection },
  'GET /collections/:id': { gets: owned('200', '404 COLLECTION_NOT_FOUND'), at: collection, isTelling: true },
  'GET /collections/:id/public': {
    gets: unpublished('200', '404 COLLECTION_NOT_FOUND', '404 COLLECTION_NOT_FOUND'), at: collection,
    isTelling: true,
  },
  // Nothing of the collection is finished.
  'GET /collections/:id/metadata': {
    gets: unpublished('200', '404 COLLECTION_NOT_FOUND', '404 COLLECTION_NOT_FOUND'), at: collection,
  },
  'GET /collections/:id/contract-metadata': {
    gets: unpublished('200', '404 COLLECTION_NOT_FOUND', '404 COLLECTION_NOT_FOUND'), at: collection,
    isTelling: true,
  },
  'POST /collections/:id/distribution': {
    gets: owned('200', '404 COLLECTION_NOT_FOUND'), at: collection, body: () => ({ hashes: 10 }),
  },
  'GET /collections/:id/variables': {
    gets: owned('200', '404 COLLECTION_NOT_FOUND'), at: collection, isTelling: true,
  },
  'PUT /collections/:id/variables': {
    gets: owned('200', '404 COLLECTION_NOT_FOUND'), at: collection, body: () => ({ variables: { word: 'sand' } }),
    isTelling: true,
  },
  'POST /collections/:id/generations': {
    gets: owned('201', '404 COLLECTION_NOT_FOUND'), at: collection, body: () => ({}),
  },
  'GET /projects': { gets: personal('200'), isTelling: true },
  'POST /projects': { gets: personal('201'), body: () => ({ name: 'Dunes' }) },
  'GET /projects/collections': { gets: personal('200'), isTelling: true },
  'GET /projects/:id': { gets: owned('200', '404 PROJECT_NOT_FOUND'), at: project, isTelling: true },

  'GET /jobs': { gets: personal('200'), isTelling: true },
  'GET /jobs/:id': { gets: owned('200', '404 JOB_NOT_FOUND'), at: job, isTelling: true },
  'GET /jobs/:id/history': { gets: owned('200', '404 JOB_NOT_FOUND'), at: job, isTelling: true },
  'GET /jobs/:id/generations': { gets: owned('200', '404 JOB_NOT_FOUND'), at: job, isTelling: true },
  'GET /jobs/:id/events': { gets: owned('200', '404 JOB_NOT_FOUND'), at: job, isTelling: true },
  'POST /jobs/:id/stream-token': { gets: owned('201', '404 JOB_NOT_FOUND'), at: job },
  'POST /jobs/:id/cancel': { gets: owned('200', '404 JOB_NOT_FOUND'), at: job, isTelling: true },
  'POST /jobs/:id/resume': {
    gets: owned('200', '404 JOB_NOT_FOUND'), at: ({ cancelledJobId }) => ({ id: cancelledJobId }),
    isTelling: true,
  },
  'POST /jobs/:id/generations/:index/cancel': { gets: owned('200', '404 JOB_NOT_FOUND'), at: edition,
    isTelling: true },
  'POST /jobs/:id/generations/:index/resume': {
    gets: owned('200', '404 JOB_NOT_FOUND'), at: ({ cancelledJobId }) => ({ id: cancelledJobId, index: '0' }),
    isTelling: true,
  },
  'GET /jobs/:id/deliveries': { gets: owned('200', '404 JOB_NOT_FOUND'), at: job, isTelling: true },
  'POST /jobs/:id/deliveries/:deliveryId/resend': {
    gets: owned('202', '404 JOB_NOT_FOUND'), at: ({ jobId, deliveryId }) => ({ id: jobId, deliveryId }), isTelling: true,
  },
  'GET /collections/:id/events': { gets: owned('200', '404 COLLECTION_NOT_FOUND'), at: collection,
    isTelling: true },
  'GET /events': { gets: personal('200'), isTelling: true },

  'GET /workflows': { gets: open('200'), isTelling: true },
  'POST /workflows': {
    gets: { ...personal('201'), admin: '409 NAME_TAKEN', owner: '409 NAME_TAKEN' },
    body: ({ projectId }) => ({ name: `new ${projectId}`, type: 'basic', data: { form: { fields: [] } } }),
  },
  'GET /workflows/:id': {
    gets: unpublished('200', '404 WORKFLOW_NOT_FOUND', '200'), at: workflow, isTelling: true,
  },
  'GET /workflows/name/:name': {
    gets: unpublished('200', '404 WORKFLOW_NOT_FOUND', '200'), at: ({ canary }) => ({ name: canary }), isTelling: true,
  },
  'GET /workflows/:id/models': { gets: unpublished('200', '404 WORKFLOW_NOT_FOUND', '200'), at: workflow },
  'PUT /workflows/:id': {
    gets: { ...owned('200', '404 WORKFLOW_NOT_FOUND'), admin: '200' }, at: workflow,
    body: ({ projectId }) => ({ name: `saved ${projectId}`, type: 'basic', data: { form: { fields: [] } } }),
  },
  // The admin comes first.
  'DELETE /workflows/:id': {
    gets: { ...owned('404 WORKFLOW_NOT_FOUND', '404 WORKFLOW_NOT_FOUND'), admin: '200' }, at: workflow,
  },
  'POST /workflows/:id/estimate': {
    gets: { ...owned('200', '404 WORKFLOW_NOT_FOUND'), admin: '200' }, at: workflow, body: () => ({}),
  },

  'POST /workflows/:id/test': {
    gets: { ...owned('202', '404 WORKFLOW_NOT_FOUND'), admin: '202' }, at: workflow, body: () => ({}),
  },

  'GET /form-configs': { gets: personal('200') },
  'GET /form-configs/name/:name': { gets: personal('200'), at: ({ formConfig }) => formConfig },
  'POST /form-configs': {
    gets: admins('201'), body: ({ projectId }) => ({ name: projectId, options: [{ name: 'Ink', value: 'ink' }] }),
  },
  'PUT /form-configs/:id': {
    gets: admins('200'), at: ({ formConfig }) => formConfig,
    body: ({ formConfig: { name } }) => ({ name, options: [{ value: 1 }] }),
  },
  'DELETE /form-configs/:id': { gets: admins('200'), at: ({ formConfig }) => formConfig },

  'GET /secrets': { gets: personal('200'), isTelling: true },
  'PUT /secrets/:name': {
    gets: personal('200'), at: () => ({ name: 'API_KEY' }), body: () => ({ value: 'sk-1' }), isNaming: true,
  },
  'DELETE /secrets/:name': { gets: owned('200', '404 NOT_FOUND'), at: ({ canary }) => ({ name: canary }) },

  // Of what it has told no one knows: its token is all that it asks for.
  'POST /webhooks/steps/:token': {
    gets: open('404 NOT_FOUND'), at: () => ({ token: '0193fd6c-0000-4000-8000-000000000009' }),
  },

  'POST /api/generation/create': { gets: personal('201'), body: () => TWO_STEP },
  // A full body is what older clients send.
  'POST /api/generate': { gets: personal('202'), body: () => TWO_STEP },
  'GET /api/generation/:id': { gets: owned('200', '403 UNAUTHORIZED'), at: image, isTelling: true },
  'GET /api/generation/:id/events': { gets: owned('200', '403 UNAUTHORIZED'), at: image, isTelling: true },
  'POST /api/generation/:id/cancel': { gets: owned('200', '403 UNAUTHORIZED'), at: image, isTelling: true },

  'POST /api/v1/generations': { gets: personal('202'), body: () => ({ prompt: 'a fox' }) },
  'GET /api/v1/generations': { gets: personal('200'), isTelling: true },
  'GET /api/v1/generations/:id': { gets: owned('200', '404 GENERATION_NOT_FOUND'), at: v1Image, isTelling: true },
  'PATCH /api/v1/generations/:id': {
    gets: owned('200', '404 GENERATION_NOT_FOUND'), at: v1Image, body: () => ({ action: 'cancel' }), isTelling: true,
  },
  'DELETE /api/v1/generations/:id': {
    gets: owned('200', '404 GENERATION_NOT_FOUND'), at: ({ endedV1ImageId }) => ({ id: endedV1ImageId }),
  },
  'POST /api/v1/webhooks/replicate': {
    gets: open('401 INVALID_SIGNATURE'), body: () => ({ id: 'x', status: 'succeeded' }), isSigned: true,
  },

  'GET /webhooks/secret': { gets: personal('200') },
  'POST /webhooks/secret/rotate': { gets: personal('200') },

  // Nothing of anyone is in it, and drawing takes a worker.
  'POST /previews': { gets: personal('400 VALIDATION_ERROR'), body: () => ({}) },

  'POST /assets': { gets: personal('201'), body: textFile },
  'GET /assets': { gets: personal('200'), isTelling: true },
  'GET /assets/:id': { gets: unpublished('200', '404 NOT_FOUND', '200'), at: asset, isTelling: true },
  'GET /assets/:id/provenance': { gets: unpublished('200', '404 NOT_FOUND', '200'), at: asset, isTelling: true },
  'POST /assets/:id/rerender': { gets: owned('202', '404 NOT_FOUND'), at: asset },
  'GET /assets/:id/rerenders/:jobId': {
    gets: owned('200', '404 NOT_FOUND'), at: ({ assetId, cancelledJobId }) => ({ id: assetId, jobId: cancelledJobId }),
    isTelling: true,
  },
  'DELETE /assets/:id': { gets: owned('200', '404 NOT_FOUND'), at: asset },
  'GET /files/*': {
    gets: unpublished('200', '404 NOT_FOUND', '200'), at: ({ upload }) => ({ '*': upload.key }),
    isTelling: true,
  },

  'GET /credits': { gets: personal('200') },
  'GET /credits/ledger': { gets: personal('200'), isTelling: true },
  'GET /api-keys': { gets: personal('200'), isTelling: true },
  'POST /api-keys': { gets: personal('201'), body: () => ({ name: 'server' }) },
  'DELETE /api-keys/:id': { gets: owned('200', '404 NOT_FOUND'), at: ({ apiKeyId }) => ({ id: apiKeyId }) },
  'POST /admin/credits/grant': {
    gets: admins('201'), body: ({ userId }) => ({ user_id: userId, amount: 1, reason: 'a gift' }),
  },
  'POST /admin/credits/reconcile': { gets: admins('200') },
  'PUT /admin/accounts/:userId': {
    gets: admins('200'), at: ({ userId }) => ({ userId }), body: () => ({ plan: 'pro' }),
  },
  'GET /admin/queue': { gets: admins('200') },
  'GET /admin/queue/waiting': { gets: admins('200') },
  'GET /admin/queue/running': { gets: admins('200') },
  'GET /admin/queue/actions': { gets: admins('200') },
  'POST /admin/queue/pauses': {
    gets: admins('201'), body: ({ userId }) => ({ scope: 'user', subject: userId, reason: 'it stands in the way' }),
  },
  'DELETE /admin/queue/pauses/:id': { gets: admins('200'), at: ({ pauseId }) => ({ id: pauseId }) },
  'POST /admin/queue/jobs/:id/cancel': { gets: admins('200'), at: job, body: () => ({ reason: 'it stands in the way' }) },
  'POST /admin/queue/jobs/:id/retry': { gets: admins('200'), at: ({ cancelledJobId }) => ({ id: cancelledJobId }) },
  'POST /admin/queue/jobs/:id/priority': { gets: admins('200'), at: job, body: () => ({ priority: 90 }) },
  'POST /admin/queue/jobs/:id/generations/:index/cancel': {
    gets: admins('200'), at: edition, body: () => ({ reason: 'it stands in the way' }),
  },
  'POST /admin/queue/jobs/:id/generations/:index/retry': {
    gets: admins('200'), at: ({ cancelledJobId }) => ({ id: cancelledJobId, index: '0' }),
  },

  'GET /health/live': { gets: open('200') },
  'GET /health/ready': { gets: open('200') },
  'GET /metrics': { gets: admins('200') },
  'GET /openapi.json': { gets: open('200') },
  'GET /docs': { gets: open('200') },
  'GET /docs/': { gets: open('200') },
  'GET /docs/*': { gets: open('200'), at: () => ({ '*': 'swagger-ui.css' }) },
  'GET /docs/LICENSE': { gets: open('404 NOT_FOUND') },
  'GET /docs/docs/swagger-ui-init.js': { gets: open('200') },
  'GET /docs/index.html': { gets: open('200') },
  'GET /docs/swagger-ui-init.js': { gets: open('200') },
  // Tests run the sources: the studio's page is made by a build.
  'GET /studio': { gets: open('404 NOT_FOUND') },
  'GET /studio/*': { gets: open('404 NOT_FOUND'), at: () => ({ '*': 'work' }) },
  'GET /studio/assets/:file': { gets: open('404 NOT_FOUND'), at: () => ({ file: 'main.js' }) },
};

/** Pages, with what only they load, and the document itself: OpenAPI tells nothing of them. */
export const isPage = (route: string): boolean => /^GET \/(docs|studio|openapi\.json)/.test(route);

/** Bull Board, to look at only: whatever it serves is for admins. */
export const BOARD = '/admin/queues';

/** `POST /jobs/:id/cancel` with its parameters put in. */
export function pathOf(route: string, parameters: Record<string, string> = {}): string {
  const [, template = ''] = route.split(' ');
  const filled = template.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(parameters[name] ?? ''));
  return filled.replace('*', parameters['*'] ?? '');
}

export const methodOf = (route: string): string => route.split(' ')[0]!;
