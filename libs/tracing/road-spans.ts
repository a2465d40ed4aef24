import type { GenerationState, Lease } from '#libs/engine/generation-store.js';
import { StepRunner, type StepOutcome } from '#libs/engine/step-runner.js';
import { inSpan, type SpanPlan } from './spans.js';

/** One worker's hold of a generation, part of the trace of its submission. It goes on from the hold before it. */
export const runSpan = ({ generationId, number, lane }: Lease, { jobId, index, run, trace }: GenerationState): SpanPlan => ({
  name: 'generation',
  root: true,
  ...(trace !== undefined && { parent: trace }),
  key: holdKey(generationId, number),
  continues: number > 1 ? holdKey(generationId, number - 1) : undefined,
  attributes: {
    'platen.job.id': jobId, 'platen.generation.id': generationId, 'platen.generation.index': index,
    'platen.generation.run': run, 'platen.lease': number, 'platen.lane': lane,
  },
});

type StepCall = Parameters<StepRunner['run']>[0];

/** Runs each attempt at a step as a span of its generation's. */
export class TracedStepRunner extends StepRunner {
  override run(call: StepCall): Promise<StepOutcome> {
    return inSpan(() => stepSpan(call), () => super.run(call));
  }
}

/** An attempt goes on from the one before it; asking after it, from its beginning. Its alias is its author's own words. */
function stepSpan({ state, prepared, attempt: { stepId, number }, waiting }: StepCall): SpanPlan {
  const keyOf = (attempt: number) => `${state.generationId}:${stepId}:${attempt}`;
  const { name } = prepared.node;
  const attributes = {
    'platen.generation.id': state.generationId, 'platen.step.id': stepId, 'platen.node': name,
    ...(number && { 'platen.attempt': number }),
  };
  if (number === undefined) return { name: `step ${name}`, attributes };
  if (waiting) return { name: `poll ${name}`, continues: keyOf(number), attributes };
  return {
    name: `step ${name}`, key: keyOf(number), continues: number > 1 ? keyOf(number - 1) : undefined, attributes,
  };
}

const holdKey = (generationId: string, lease: number) => `${generationId}:${lease}`;
