// Made by `npm run client` from the OpenAPI document 6fd3ad80c4abe2ebfe2a1b64841e686855b6b09030da60068c02ac67e89d96d4.
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
