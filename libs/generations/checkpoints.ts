import { randomUUID } from 'node:crypto';
import { outputView } from '#libs/assets/asset-rows.js';
import type { Movement } from '#libs/credits/ledger.js';
import type { Database } from '#libs/database/database.js';
import type { Prepared } from '#libs/database/prepared.js';
import {
  LeaseLost, type Attempt, type FinishedStep, type GenerationState, type Lease, type StepOutput, type StepStart,
} from '#libs/engine/generation-store.js';
import type { EventDetail, JobEvent, RecordedEventType } from '#libs/events/job-event.js';
import { storedEvent } from '#libs/events/sealed-events.js';
import { sinksOf } from '#libs/instruction-set/graph.js';
import type { Trait } from '#libs/nodes/node.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';
import { signals } from '#libs/tracepoints/signals.js';
import { BEGIN, CHECKPOINT, FINISH } from './checkpoint-statements.js';
import type { JobTransactions } from './job-transaction.js';
import { makingOf } from './making.js';
import { storedFetched, storedMaking, storedResult, storedStart, storedTraits, storedValues } from './sealed-steps.js';

/** Outputs above this size stay out of events. */
const EVENT_OUTPUT_BYTES = 16 * 1024;

/** What an event says before the job has numbered it. */
interface Told {
  type: RecordedEventType;
  data: EventDetail;
}

interface WrittenRow {
  /** The job's last event before these. */
  seq: string;
  now: Date;
  attempts: Array<{ id: number; step_id: number; attempt: number; token: string }> | null;
  /** False: it had been written before, and only its answer was lost. */
  applied?: boolean;
}

interface BegunRow extends WrittenRow {
  /** It was the job's first. */
  opened: boolean;
}

interface FinishedRow extends WrittenRow {
  /** The job ended with it. */
  ended: EventDetail | null;
  captures: Array<{ amount: string; key: string; generation_id: string | null }>;
}

/** The engine's writes on the way that most generations go, each one statement. */
export class Checkpoints {
  constructor(
    private readonly database: Database,
    private readonly jobs: JobTransactions,
    private readonly registry: NodeRegistry,
    private readonly timeoutMs: number,
  ) {}

  async begin(lease: Lease, state: GenerationState, starts: StepStart[]): Promise<Attempt[]> {
    const { values, traits, resumed } = state;
    const type = resumed ? 'generation_resumed' : 'generation_started';
    const begun: Told = { type, data: { ...eventOf(state), status: 'processing' } };
    const row = await this.write<BegunRow>(BEGIN, lease, state, {
      starts,
      events: [begun, ...startEvents(state, starts)],
      before: ({ opened }) => (opened ? [{ type: 'job_started', data: { status: 'processing' } }] : []),
      more: [
        JSON.stringify(storedValues(state.seal, values)), JSON.stringify(storedTraits(state.seal, traits)),
        this.timeoutMs, progressOf(state),
      ],
    });
    if (!resumed) signals.begun.send({ waitedMs: row.now.getTime() - state.dueAt.getTime() });
    return attemptsOf(row);
  }

  async checkpoint(
    lease: Lease,
    state: GenerationState,
    finished: FinishedStep[],
    starts: StepStart[],
  ): Promise<Attempt[]> {
    const events = [...completionEvents(state, finished), ...startEvents(state, starts)];
    const more = [progressOf(state)];
    return attemptsOf(await this.write(CHECKPOINT, lease, state, { finished, starts, events, more }));
  }

  /** Shown means paid: assets become visible in the statement that captures their generation's price. */
  async finish(lease: Lease, state: GenerationState, finished: FinishedStep[], starts: StepStart[]): Promise<void> {
    const shown = state.showsAll ? null : sinksOf(state.instructionSet.steps, this.registry);
    const fetched = [...state.finished.values()].flatMap((output) => output.fetched ?? []);
    const end: Told = { type: 'generation_completed', data: { ...eventOf(state), status: 'completed', progress: 100 } };
    const row = await this.write<FinishedRow>(FINISH, lease, state, {
      finished,
      starts,
      events: [
        ...completionEvents(state, finished), ...startEvents(state, starts), ...imageEvents(state, shown), end,
      ],
      after: ({ ended }) => (ended ? [{ type: `job_${ended.status}` as RecordedEventType, data: ended }] : []),
      more: [
        JSON.stringify(storedTraits(state.seal, mergedTraits(state))), shown,
        fetched.length > 0 ? JSON.stringify(storedFetched(state.seal, fetched)) : null,
        JSON.stringify(storedMaking(state.seal, makingOf(state))),
      ],
    });
    signals.moved.send(row.captures.map((capture) => movementOf(lease.jobId, capture)));
  }

  private async write<Row extends WrittenRow>(
    statement: Prepared,
    lease: Lease,
    state: GenerationState,
    { finished = [], starts = [], events, before = () => [], after = () => [], more }: Writing<Row>,
  ): Promise<Row> {
    const [row] = await this.database.change<Row>(statement, [
      lease.jobId,
      lease.generationId,
      lease.number,
      JSON.stringify(finished.map((step) => storedResult(state.seal, state.generationId, step))),
      JSON.stringify(starts.map((start) => startRow(storedStart(state.seal, state.generationId, start)))),
      lease.alone,
      JSON.stringify(events.map(({ type, data }) => ({ type, data: storedEvent(state.seal, state.jobId, data) }))),
      ...more,
    ]);
    if (!row) {
      signals.refused.send({ generationId: lease.generationId });
      throw new LeaseLost();
    }
    if (row.applied !== false) this.announce(state, row, [...before(row), ...events, ...after(row)]);
    return row;
  }

  /** Not waited for: rows say the same to whoever missed it. */
  private announce(state: GenerationState, row: WrittenRow, told: Told[]): void {
    const first = Number(row.seq) + 1;
    const at = row.now.toISOString();
    const events = told.map(({ type, data }, place): JobEvent => ({
      seq: first + place, type, job_id: state.jobId, at, ...data,
    }));
    const job = {
      id: state.jobId, user_id: state.userId, collection_id: state.collectionId, workflow_id: state.workflowId,
      seq: first + told.length - 1, encrypted: state.seal !== undefined,
    };
    this.jobs.announce(job, events).catch(() => undefined);
  }
}

interface Writing<Row> {
  finished?: FinishedStep[];
  starts?: StepStart[];
  events: Told[];
  /** Events that depend on what the statement found; the statement itself writes them. */
  before?(row: Row): Told[];
  after?(row: Row): Told[];
  /** Parameters from `$8`. */
  more: unknown[];
}

const eventOf = (state: GenerationState): EventDetail => ({
  generation_id: state.generationId,
  generation_index: state.index,
  hash: state.hash,
});

/** Percent. */
const progressOf = ({ finished, instructionSet }: GenerationState): number =>
  Math.floor((100 * finished.size) / instructionSet.steps.length);

const startRow = ({ stepId, inputDigest, result, ...start }: StepStart) => ({
  ...start,
  ...result,
  step_id: stepId,
  input_digest: inputDigest,
  token: randomUUID(),
});

const startEvents = (state: GenerationState, starts: StepStart[]): Told[] =>
  starts.flatMap(({ stepId, node, alias, attempt, result }) => {
    const data = { ...eventOf(state), step_id: stepId, node, ...(alias && { alias }), attempt, progress: 0 };
    const started: Told = { type: 'node_started', data };
    return result ? [started, completionEvent(state, stepId, { node, alias, output: result.output })] : [started];
  });

const completionEvents = (state: GenerationState, finished: FinishedStep[]): Told[] =>
  finished.map((step) => completionEvent(state, step.attempt.stepId, step));

const completionEvent = (
  state: GenerationState,
  stepId: string,
  { node, alias, output }: Pick<FinishedStep, 'node' | 'alias' | 'output'>,
): Told => ({
  type: 'node_completed',
  data: {
    ...eventOf(state), step_id: stepId, node, ...(alias && { alias }), status: 'completed', progress: 100,
    ...eventOutput(output),
  },
});

/** What an event says of a step's output. Files are named once they are shown (`image_generated`). */
function eventOutput({ value }: StepOutput): EventDetail {
  if (value === null) return {};
  return Buffer.byteLength(JSON.stringify(value)) > EVENT_OUTPUT_BYTES ? {} : { output: value };
}

/** By step and place. `shown`: null for all steps. */
function imageEvents(state: GenerationState, shown: string[] | null): Told[] {
  return inOrder(state)
    .filter(([stepId]) => shown === null || shown.includes(stepId))
    .flatMap(([stepId, { assets }]) => assets.map((asset) => outputView(stepId, asset)))
    .map((asset) => ({
      type: 'image_generated', data: { ...eventOf(state), step_id: asset.step_id ?? undefined, asset: { ...asset } },
    }));
}

/** Of several with one name, the last step's counts. */
function mergedTraits(state: GenerationState): Trait[] {
  const traits = [...state.traits, ...inOrder(state).flatMap(([, output]) => output.traits ?? [])];
  return [...new Map(traits.map((trait) => [trait.trait_type, trait])).values()];
}

const inOrder = (state: GenerationState): Array<[string, StepOutput]> =>
  [...state.finished].sort(([one], [other]) => Number(one) - Number(other));

const attemptsOf = ({ attempts }: WrittenRow): Attempt[] =>
  (attempts ?? []).map(({ id, step_id, attempt, token }) => ({
    id: String(id), stepId: String(step_id), number: attempt, token,
  }));

const movementOf = (jobId: string, capture: FinishedRow['captures'][number]): Movement => ({
  type: 'capture',
  amount: BigInt(capture.amount),
  key: capture.key,
  jobId,
  ...(capture.generation_id && { generationId: capture.generation_id }),
});
