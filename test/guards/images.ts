import type { Guard } from './guard.js';

const V1 = 'apps/api/images/v1.controller.spec.ts';
const TWO_STEP = 'apps/api/images/two-step.controller.spec.ts';
const REPORTS = 'apps/api/webhooks/replicate-webhooks.controller.spec.ts';

/** What the two-step and v1 faces, and the provider behind them, must not be talked into. */
export const imageGuards: Guard[] = [
  {
    name: 'images: how many may be in flight',
    file: 'libs/submission/submission-statement.ts',
    find: 'case when s.in_flight then account.in_flight else',
    replace: 'case when s.in_flight then 0 else',
    red: [V1],
  },
  {
    name: 'images: how many a month',
    file: 'libs/submission/submission-statement.ts',
    find: '(s.quota is null or ${USED} + s.count <= s.quota)',
    replace: 'true',
    red: [V1],
  },
  {
    name: 'images: how many records may be begun at once',
    file: 'libs/image-generations/image-control.ts',
    find: 'where a.user_id = $1 and a.in_flight < $2',
    replace: 'where a.user_id = $1 and $2::integer is not null',
    red: [TWO_STEP],
  },
  {
    name: 'images: what ended without one is given back once',
    file: 'libs/credits/usage.ts',
    find: 'select user_id, face, job_id, $3, -generations',
    replace: 'select user_id, face, job_id, $3::text || random(), -generations',
    red: ['libs/credits/usage.spec.ts'],
  },
  {
    name: 'images: what is given back to another month',
    file: 'libs/credits/usage.ts',
    find: " and a.usage_month = ${monthOf('returned.created_at')}",
    replace: '',
    red: ['libs/credits/usage.spec.ts'],
  },
  {
    name: 'images: an input that is something else, too',
    file: 'libs/assets/asset-uploads.ts',
    find: 'if (refusesPolyglots && (await isPolyglot(path)))',
    replace: "if (refusesPolyglots && path === '')",
    red: [V1],
  },
  {
    name: 'images: URLs of inputs, for 300 seconds',
    file: 'libs/assets/file-urls.ts',
    find: 'return key.startsWith(PRIVATE.prefix) ? PRIVATE.seconds : WINDOW_SECONDS;',
    replace: 'return WINDOW_SECONDS;',
    red: [V1],
  },
  {
    name: 'images: renders of each attempt, out of reach of the others',
    file: 'libs/engine/step-runner.ts',
    find: '...(renders && { render: attempt.token })',
    replace: '...(renders && { render: generationId })',
    red: ['apps/worker/generation-worker.spec.ts'],
  },
  {
    name: 'images: texts of users are no templates',
    file: 'libs/submission/generate-image.ts',
    find: 'return `{{${name}}}`;',
    replace: 'return value;',
    red: [TWO_STEP],
  },
  {
    name: 'images: the owner, on the v1 face',
    file: 'libs/image-generations/image-generations.ts',
    find: 'if (generation?.user_id !== userId) throw generationNotFound();',
    replace: 'if (!generation) throw generationNotFound();',
    red: [V1],
  },
  {
    name: 'images: the owner, on the two-step face',
    file: 'libs/image-generations/image-generations.ts',
    find: 'if (generation.user_id !== userId) throw unauthorized();',
    replace: '',
    red: [TWO_STEP],
  },
  {
    name: 'images: the owner, of a list',
    file: 'libs/image-generations/image-generations.ts',
    find: 'where p.user_id = $1 and p.face = $2',
    replace: 'where $1::uuid is not null and p.face = $2',
    red: [V1],
  },
  {
    name: 'images: a record that was begun does not expire',
    file: 'libs/image-generations/expiry.ts',
    find: 'where id = $1 and expires_at < now() returning 1',
    replace: 'where id = $1 returning 1',
    red: ['libs/image-generations/expiry.spec.ts'],
  },
  {
    name: 'images: a record expires after its time',
    file: 'libs/image-generations/expiry.ts',
    find: 'where expires_at < now() order by',
    replace: 'where expires_at is not null order by',
    red: ['libs/image-generations/expiry.spec.ts'],
  },
  {
    name: 'images: one question in five seconds, whoever looks',
    file: 'libs/image-generations/stale-poll.ts',
    find: "and greatest(i.polled_at, i.begun_at) < clock_timestamp() - interval '${FRESH}'",
    replace: '',
    red: [V1],
  },
  {
    name: 'predictions: one that was found is known by its id',
    file: 'libs/nodes/predictions/prediction-step.ts',
    find: 'if (isFound) return waitFor(reference, 0);',
    replace: '',
    red: ['libs/nodes/replicate.node.spec.ts'],
  },
  {
    name: 'reports: who signed them',
    file: 'libs/providers/replicate.provider.ts',
    find: 'unjudged : verifiedWebhookId(webhookSecret, headers, rawBody);',
    replace: "unjudged : String(headers['webhook-id']);",
    red: [REPORTS],
  },
  {
    name: 'reports: they are judged before they are read',
    file: 'apps/api/webhooks/replicate-webhooks.controller.ts',
    find: '@RouteConfig({ isRaw: true })',
    replace: '',
    red: [REPORTS],
  },
];
