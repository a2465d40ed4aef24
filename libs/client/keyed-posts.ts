// Made by `npm run client` from the OpenAPI document 51c5f484d53b15e5b91b323153a2516c29bfe4016b8fd9aec1707b6396e24237.
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
