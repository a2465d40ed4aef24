import { channel, type Channel } from 'node:diagnostics_channel';
import { inSpan } from '#libs/tracing/spans.js';

/**
 * The named moments of a generation's road, in the order in which it passes them. Each is a channel of
 * `node:diagnostics_channel`, `platen:` before its name: whoever wants to know (a tracer, a storm that
 * stops the process just there) subscribes, and nobody else pays for it.
 */
export const TRACEPOINTS = [
  'submission.before-check',
  'submission.before-write',
  'submission.before-commit',
  'submission.after-commit',
  'submission.before-dispatch',
  'submission.after-dispatch',
  'submission.before-answer',
  'claim.before',
  'claim.after',
  'begin.before',
  'begin.after',
  'step.before-run',
  'step.after-run',
  'put.before',
  'put.after',
  'files.before',
  'files.after',
  'checkpoint.before',
  'checkpoint.after',
  'settlement.before',
  'settlement.after',
  'wait.before',
  'wait.after',
  'failure.before',
  'failure.after',
  'park.before',
  'park.after',
  'handback.before',
  'handback.after',
  'break-off.before',
  'break-off.after',
  'renewal.before',
  'renewal.after',
  'cancel.before-commit',
  'cancel.after-commit',
  'sweep.before',
  'sweep.after',
] as const;

export type Tracepoint = (typeof TRACEPOINTS)[number];

/** What the moment is about, as far as the place knows. */
export interface Passage {
  jobId?: string;
  generationId?: string;
  stepId?: string;
}

/** What subscribers of a channel are called with. They run at once, before the road goes on. */
export type TracepointMessage = Passage & { point: Tracepoint };

export const channelNameOf = (point: Tracepoint): string => `platen:${point}`;

/** Held here: a channel that nobody holds is forgotten, together with its subscribers. */
const CHANNELS = Object.fromEntries(TRACEPOINTS.map((point) => [point, channel(channelNameOf(point))])) as Record<
  Tracepoint,
  Channel
>;

/** Says that the road has come to `point`. Without a subscriber this is one comparison. */
export function tracepoint(point: Tracepoint, passage?: Passage): void {
  const { [point]: at } = CHANNELS;
  if (at.hasSubscribers) at.publish({ point, ...passage } satisfies TracepointMessage);
}

/** What has a point before it and one after it, named alike. */
type Traced<Point> = Point extends `${infer Stretch}.before` ? Stretch : never;

/** Runs `work` between its two points, and as a span where it is part of a trace; a failure never comes to the second. */
export async function traced<Result>(
  stretch: Traced<Tracepoint>,
  work: () => Promise<Result>,
  passage?: Passage,
): Promise<Result> {
  tracepoint(`${stretch}.before`, passage);
  const result = await inSpan(() => ({ name: stretch, attributes: attributesOf(passage) }), work);
  tracepoint(`${stretch}.after`, passage);
  return result;
}

const attributesOf = ({ generationId, stepId }: Passage = {}) => ({
  ...(generationId && { 'platen.generation.id': generationId }),
  ...(stepId && { 'platen.step.id': stepId }),
});
