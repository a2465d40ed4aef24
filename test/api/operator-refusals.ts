import type { Hindrances } from './hindrances.js';
import type { Refusal } from './refusals.js';
import type { Tenant } from './tenant.js';

const UNKNOWN = '0193fd6c-0000-7000-8000-000000000009';
const PAUSES = 'POST /admin/queue/pauses';
const CANCEL = 'POST /admin/queue/jobs/:id/cancel';
const RETRY = 'POST /admin/queue/jobs/:id/retry';
const PRIORITY = 'POST /admin/queue/jobs/:id/priority';
const CANCEL_ONE = 'POST /admin/queue/jobs/:id/generations/:index/cancel';
const RETRY_ONE = 'POST /admin/queue/jobs/:id/generations/:index/retry';

const nobody = () => ({ id: UNKNOWN, index: '0' });
const pending = ({ tenant }: Hindrances) => ({ id: tenant.jobId, index: '0' });
const beyond = ({ tenant }: Hindrances) => ({ id: tenant.jobId, index: '99' });
const cancelled = ({ tenant }: Hindrances) => ({ id: tenant.cancelledJobId, index: '0' });
const spent = ({ spentJobId }: Hindrances) => ({ id: spentJobId, index: '0' });
const reason = () => ({ reason: 'it stands in the way' });

/** What operators are refused. The tenant's workflow is paused. */
export const OPERATOR_REFUSALS: Refusal[] = [
  { route: 'GET /admin/queue/waiting', outcome: '400 VALIDATION_ERROR', query: () => '?by=weather' },
  { route: 'GET /admin/queue/running', outcome: '400 VALIDATION_ERROR', query: () => '?limit=0' },
  { route: 'GET /admin/queue/actions', outcome: '400 VALIDATION_ERROR', query: () => '?cursor=abc' },
  { route: PAUSES, outcome: '400 VALIDATION_ERROR', body: () => ({ scope: 'lane', subject: 'slow', reason: 'x' }) },
  {
    route: PAUSES, outcome: '409 ALREADY_PAUSED',
    body: ({ tenant }) => ({ scope: 'workflow', subject: tenant.workflowId, reason: 'x' }),
  },
  { route: PAUSES, outcome: '404 WORKFLOW_NOT_FOUND', body: () => ({ scope: 'workflow', subject: UNKNOWN, reason: 'x' }) },
  { route: PAUSES, outcome: '404 NOT_FOUND', body: () => ({ scope: 'user', subject: UNKNOWN, reason: 'x' }) },
  { route: 'DELETE /admin/queue/pauses/:id', outcome: '404 NOT_FOUND', at: nobody },
  { route: CANCEL, outcome: '400 VALIDATION_ERROR', at: pending, body: () => ({}) },
  { route: CANCEL, outcome: '404 JOB_NOT_FOUND', at: nobody, body: reason },
  { route: CANCEL, outcome: '409 INVALID_JOB_STATUS', at: cancelled, body: reason },
  { route: CANCEL_ONE, outcome: '400 VALIDATION_ERROR', at: pending, body: () => ({ reason: '' }) },
  { route: CANCEL_ONE, outcome: '404 JOB_NOT_FOUND', at: nobody, body: reason },
  { route: CANCEL_ONE, outcome: '404 GENERATION_NOT_FOUND', at: beyond, body: reason },
  { route: CANCEL_ONE, outcome: '409 INVALID_GENERATION_STATUS', at: cancelled, body: reason },
  { route: RETRY, outcome: '404 JOB_NOT_FOUND', at: nobody },
  { route: RETRY, outcome: '409 INVALID_JOB_STATUS', at: pending },
  { route: RETRY, outcome: '402 INSUFFICIENT_CREDITS', at: spent },
  { route: RETRY_ONE, outcome: '404 JOB_NOT_FOUND', at: nobody },
  { route: RETRY_ONE, outcome: '404 GENERATION_NOT_FOUND', at: beyond },
  { route: RETRY_ONE, outcome: '409 INVALID_GENERATION_STATUS', at: pending },
  { route: RETRY_ONE, outcome: '402 INSUFFICIENT_CREDITS', at: spent },
  { route: PRIORITY, outcome: '400 VALIDATION_ERROR', at: pending, body: () => ({ priority: 0 }) },
  { route: PRIORITY, outcome: '404 JOB_NOT_FOUND', at: nobody, body: () => ({ priority: 90 }) },
  { route: PRIORITY, outcome: '409 INVALID_JOB_STATUS', at: cancelled, body: () => ({ priority: 90 }) },
];

/** Sound bodies with all their fields. */
export const OPERATOR_BODIES: Record<string, (tenant: Tenant) => object> = {
  [PAUSES]: ({ userId }) => ({
    scope: 'user', subject: userId, mode: 'drain', reason: 'it stands in the way', until: '2100-01-31T12:00:00Z',
  }),
  [CANCEL]: reason,
  [CANCEL_ONE]: reason,
  [PRIORITY]: () => ({ priority: 90 }),
};
