// Made by `npm run client` from the OpenAPI document 24f1e7a2a624e32523ef0aa2455290edfa7a16c1a88c152c2f9991beae15e95c.
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
