// Made by `npm run client` from the OpenAPI document e0d2d0a4e0e62b46d90be2f4f7651ac0d0ed1dc6c7b6d13fad02802f853cfe38.
/** The POSTs that take an `Idempotency-Key`. */
export const KEYED_POSTS = [
  '/assets',
  '/api/collections/generate',
  '/collections/{id}/generations',
  '/workflows/{id}/test',
  '/projects/collections',
  '/collections/{id}/remix',
  '/admin/credits/grant',
  '/form-configs',
  '/jobs/{id}/resume',
  '/jobs/{id}/generations/{index}/resume',
  '/api/generation/create',
  '/api/generate',
  '/api/v1/generations',
  '/projects',
  '/assets/{id}/rerender',
  '/workflows',
];
