// Made by `npm run client` from the OpenAPI document 9dcc52b5b390d972f95a48098f27c299361d1eab16016715e8d2295f5346ef3a.
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
