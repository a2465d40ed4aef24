import { signatureOf } from '#libs/providers/standard-webhooks.js';
import type { Hindrances } from './hindrances.js';
import type { Refusal } from './refusals.js';
import { TWO_STEP } from './routes.js';

/** `REPLICATE_WEBHOOK_SECRET` of the API. */
export const WEBHOOK_SECRET = 'whsec_bWlzc2lvbi10ZXN0LXNlY3JldC0wMTIzNDU2Nzg5YWI=';

const UNKNOWN = '0193fd6c-0000-7000-8000-000000000009';
const CREATE = 'POST /api/generation/create';
const BEGIN = 'POST /api/generate';
const SUBMIT = 'POST /api/v1/generations';
const REPORT = 'POST /api/v1/webhooks/replicate';
const FOX = { prompt: 'a fox' };

const unknown = () => ({ id: UNKNOWN });
const ended = ({ endedImageId }: Hindrances) => ({ id: endedImageId });
const endedV1 = ({ tenant }: Hindrances) => ({ id: tenant.endedV1ImageId });
const poor = (h: Hindrances) => h.poor;
const busy = (h: Hindrances) => h.busy;
const grounded = (h: Hindrances) => h.grounded;
const spent = (h: Hindrances) => h.spent;

/** A one-pixel PNG. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

function formOf(bytes: Uint8Array): FormData {
  const form = new FormData();
  form.append('prompt', 'a fox');
  form.append('input1', new Blob([Uint8Array.from(bytes)]), 'a.png');
  return form;
}

function signed(body: object): Record<string, string> {
  const [id, timestamp] = ['msg_1', String(Math.floor(Date.now() / 1_000))];
  const signature = signatureOf(WEBHOOK_SECRET, id, timestamp, Buffer.from(JSON.stringify(body)));
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature.toString('base64')}` };
}

const UNKNOWN_PREDICTION = { id: 'unknown', status: 'succeeded' };

/** Of the two faces that make single images. */
export const IMAGE_REFUSALS: Refusal[] = [
  { route: CREATE, outcome: '402 INSUFFICIENT_CREDITS', as: poor, body: () => TWO_STEP },
  { route: CREATE, outcome: '402 LIMIT_EXCEEDED', as: spent, body: () => TWO_STEP },
  { route: CREATE, outcome: '429 TOO_MANY_INFLIGHT', as: busy, body: () => TWO_STEP },
  { route: BEGIN, outcome: '404 GENERATION_NOT_FOUND', body: () => ({ generationId: UNKNOWN }) },
  { route: BEGIN, outcome: '403 UNAUTHORIZED', as: poor, body: ({ tenant }) => ({ generationId: tenant.imageId }) },
  { route: BEGIN, outcome: '409 INVALID_GENERATION_STATUS', body: ({ endedImageId }) => ({ generationId: endedImageId }) },
  { route: BEGIN, outcome: '402 INSUFFICIENT_CREDITS', as: poor, body: () => TWO_STEP },
  { route: BEGIN, outcome: '402 LIMIT_EXCEEDED', as: spent, body: () => TWO_STEP },
  { route: BEGIN, outcome: '429 TOO_MANY_INFLIGHT', as: grounded, body: () => TWO_STEP },
  { route: 'GET /api/generation/:id', outcome: '404 GENERATION_NOT_FOUND', at: unknown },
  { route: 'GET /api/generation/:id/events', outcome: '404 GENERATION_NOT_FOUND', at: unknown },
  { route: 'POST /api/generation/:id/cancel', outcome: '404 GENERATION_NOT_FOUND', at: unknown },
  { route: 'POST /api/generation/:id/cancel', outcome: '409 INVALID_GENERATION_STATUS', at: ended },
  { route: SUBMIT, outcome: '402 INSUFFICIENT_CREDITS', as: poor, body: () => FOX },
  { route: SUBMIT, outcome: '402 LIMIT_EXCEEDED', as: spent, body: () => FOX },
  { route: SUBMIT, outcome: '429 TOO_MANY_INFLIGHT', as: grounded, body: () => FOX },
  { route: SUBMIT, outcome: '402 STORAGE_QUOTA_EXCEEDED', as: (h) => h.narrow, body: () => formOf(PIXEL) },
  { route: SUBMIT, outcome: '415 UNSUPPORTED_MEDIA_TYPE', body: () => formOf(Buffer.from('text')) },
  { route: SUBMIT, outcome: '413 PAYLOAD_TOO_LARGE', body: () => formOf(Buffer.alloc(20_000)) },
  {
    route: 'PATCH /api/v1/generations/:id', outcome: '409 INVALID_GENERATION_STATUS', at: endedV1,
    body: () => ({ action: 'cancel' }),
  },
  {
    route: 'DELETE /api/v1/generations/:id', outcome: '409 INVALID_GENERATION_STATUS',
    at: ({ tenant }) => ({ id: tenant.v1ImageId }),
  },
  {
    route: REPORT, outcome: '404 NOT_FOUND', headers: () => signed(UNKNOWN_PREDICTION), body: () => UNKNOWN_PREDICTION,
  },
  { route: REPORT, outcome: '400 VALIDATION_ERROR', headers: () => signed({}), body: () => ({}) },
];
