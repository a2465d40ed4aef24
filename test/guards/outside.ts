import type { Guard } from './guard.js';

/** What keeps work outside single, stoppable and its secrets where they belong. */
export const outsideGuards: Guard[] = [
  {
    name: 'replicate: its token is shown to its API alone',
    file: 'libs/providers/replicate-api.ts',
    find: 'const answer = this.isOwnFile(new URL(url))',
    replace: "const answer = url !== ''",
    red: ['libs/providers/replicate.provider.spec.ts'],
  },
  {
    name: 'replicate: of what models name there, for files alone',
    file: 'libs/providers/replicate-api.ts',
    find: 'const answer = this.isOwnFile(new URL(url))',
    replace: 'const answer = this.isOwn(new URL(url))',
    red: ['libs/providers/replicate.provider.spec.ts'],
  },
  {
    name: 'replicate: nothing of its words in a refusal',
    file: 'libs/providers/replicate-api.ts',
    find: "? 'Replicate refuses the model or its input'",
    replace: '? detail',
    red: ['libs/providers/replicate.provider.spec.ts'],
  },
  {
    name: 'webhooks in: their signature',
    file: 'libs/providers/standard-webhooks.ts',
    find: 'return isGenuine ? id : null;',
    replace: 'return id;',
    red: ['libs/providers/standard-webhooks.spec.ts', 'libs/providers/replicate.provider.spec.ts'],
  },
  {
    name: 'webhooks in: their time',
    file: 'libs/providers/standard-webhooks.ts',
    find: ' || Math.abs(now / 1000 - Number(timestamp)) > TOLERANCE_SECONDS',
    replace: '',
    red: ['libs/providers/standard-webhooks.spec.ts'],
  },
  {
    name: 'predictions: an answer that was lost is looked for',
    file: 'libs/nodes/predictions/prediction-step.ts',
    find: 'const found = reference.sent ? await this.look(call, reference, context.signal) : null;',
    replace: 'const found = null as Prediction | null;',
    red: ['libs/nodes/replicate.node.spec.ts'],
  },
  {
    name: 'predictions: one that was begun for a cancelled step is stopped',
    file: 'libs/nodes/predictions/prediction-step.ts',
    find: 'await this.provider.cancel(prediction.id, AbortSignal.timeout(CALL_MS));',
    replace: '',
    red: ['libs/nodes/replicate.node.spec.ts'],
  },
  {
    name: 'predictions: only its own among equal ones',
    file: 'libs/providers/replicate-prediction.ts',
    find: "return missed < DEADLINE_TOLERANCE_MS ? 'marked' : 'other';",
    replace: "return missed < Infinity ? 'marked' : 'other';",
    red: ['libs/providers/replicate.provider.spec.ts'],
  },
  {
    name: 'steps: what a failed one waited for outside is stopped',
    file: 'libs/generations/attempts.ts',
    find: 'external_cancel_due = reference is not null,',
    replace: '',
    red: ['libs/nodes/replicate.node.spec.ts', 'libs/nodes/direct-job.node.spec.ts'],
  },
  {
    name: 'direct jobs: one for each token',
    file: 'libs/queue/bullmq.service-queue.ts',
    find: 'jobId: token, attempts: 1',
    replace: 'attempts: 1',
    red: ['libs/nodes/direct-job.node.spec.ts'],
  },
];
