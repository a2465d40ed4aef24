import { Counter, Histogram } from 'prom-client';
import { toCredits } from '#libs/credits/micro-credits.js';
import type { JobEvent } from '#libs/events/job-event.js';
import { signals, type Committed, type CommittedJob } from '#libs/tracepoints/signals.js';
import { BoundedLabels } from './bounded-labels.js';
import type { Metrics } from './metrics.js';
import { Stopwatch } from './stopwatch.js';

/** Workflows and error codes are made by users, and nodes are spelled by them or named after their workflows. */
const WORKFLOWS = 100;
const NODES = 100;
const CODES = 100;
/** Seconds, from a quick script to a long video. */
const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800];
/** Of what was made from an instruction set of its own. */
const NO_WORKFLOW = 'none';

/**
 * Counts what happens on the road, in this process: submissions and cancels where they are asked for,
 * steps and ends where they are worked on. Sums over all processes are the truth. Workflows are named by
 * their ids; `platen_workflow_info` says what they are called.
 */
export class RoadMetrics {
  private readonly workflows = new BoundedLabels(WORKFLOWS);
  private readonly nodes = new BoundedLabels(NODES);
  private readonly codes = new BoundedLabels(CODES);
  private readonly steps = new Stopwatch();
  private readonly generations = new Stopwatch();
  private readonly instruments: ReturnType<typeof createInstruments>;

  constructor(metrics: Metrics) {
    this.instruments = createInstruments(metrics);
    const { submitted, generationsSubmitted, queueWait, credits, refused, repairs, wakes, deliveries, previews } = this.instruments;
    const stops = [
      signals.begun.listen(({ waitedMs }) => queueWait.observe(Math.max(0, waitedMs) / 1_000)),
      signals.committed.listen((change) => this.count(change)),
      signals.submitted.listen(({ workflowId, face, generations }) => {
        submitted.inc({ face });
        generationsSubmitted.inc({ workflow: this.workflow(workflowId) }, generations);
      }),
      signals.moved.listen((movements) => {
        for (const { type, amount } of movements) if (amount > 0n) credits.inc({ type }, toCredits(amount));
      }),
      signals.refused.listen(() => refused.inc()),
      signals.repaired.listen(({ lostLeases, timedOut, woken }) => {
        repairs.inc({ kind: 'lost_lease' }, lostLeases);
        repairs.inc({ kind: 'timed_out' }, timedOut);
        wakes.inc(woken);
      }),
      signals.delivered.listen(({ status }) => deliveries.inc({ outcome: status === 'pending' ? 'retried' : status })),
      signals.drafted.listen(({ ok }) => previews.inc({ outcome: ok ? 'drawn' : 'faulty' })),
    ];
    for (const stop of stops) metrics.onClose(stop);
  }

  /** Ids of the workflows that are counted by name. */
  get workflowIds(): string[] {
    return this.workflows.values.filter((id) => id !== NO_WORKFLOW);
  }

  private count({ job, events }: Committed): void {
    for (const event of events) {
      if (event.type.startsWith('node_')) this.countStep(event);
      else if (event.type.startsWith('generation_')) this.countGeneration(job, event);
    }
  }

  private countStep({ type, generation_id, step_id, node: name = 'unknown', at, error, retry_at }: JobEvent): void {
    const node = this.nodes.of(name);
    const id = `${generation_id}:${step_id}`;
    if (type === 'node_started') return this.steps.begin(id, at);
    const { stepSeconds, steps, stepErrors, retries } = this.instruments;
    const outcome = type === 'node_completed' ? 'completed' : 'failed';
    steps.inc({ node, outcome });
    const seconds = this.steps.end(id, at);
    if (seconds !== undefined) stepSeconds.observe({ node, outcome }, seconds);
    if (error) stepErrors.inc({ node, code: this.codes.of(error.code) });
    if (retry_at) retries.inc({ node });
  }

  private countGeneration(job: CommittedJob, { type, generation_id = '', at }: JobEvent): void {
    const { generations, generationSeconds } = this.instruments;
    switch (type) {
      case 'generation_started':
      case 'generation_resumed':
        return this.generations.begin(generation_id, at);
      case 'generation_completed':
      case 'generation_failed':
      case 'generation_cancelled': {
        const labels = { status: type.slice('generation_'.length), workflow: this.workflow(job.workflowId) };
        generations.inc(labels);
        const seconds = this.generations.end(generation_id, at);
        if (seconds !== undefined) generationSeconds.observe(labels, seconds);
      }
    }
  }

  private workflow(id: string | null): string {
    return this.workflows.of(id ?? NO_WORKFLOW);
  }
}

function createInstruments({ registry }: Metrics) {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers });
  const seconds = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Histogram({ name, help, labelNames, registers, buckets: BUCKETS });
  return {
    submitted: counter('platen_submissions_total', 'Jobs that were submitted.', 'face'),
    generationsSubmitted: counter('platen_generations_submitted_total', 'Generations of those jobs.', 'workflow'),
    generations: counter('platen_generations_total', 'Generations that ended.', 'status', 'workflow'),
    generationSeconds: seconds(
      'platen_generation_duration_seconds', 'From the start of a generation to its end.', 'status', 'workflow',
    ),
    queueWait: seconds('platen_generation_queue_wait_seconds', 'How long a generation that might begin has waited for a worker.'),
    steps: counter('platen_steps_total', 'Attempts at a step that ended.', 'node', 'outcome'),
    stepSeconds: seconds('platen_step_duration_seconds', 'From the start of an attempt to its end.', 'node', 'outcome'),
    stepErrors: counter('platen_step_errors_total', 'Attempts that failed, by the code of the error.', 'node', 'code'),
    retries: counter('platen_retries_total', 'Failed attempts after which the step is tried again.', 'node'),
    credits: counter('platen_credits_total', 'Credits that were moved.', 'type'),
    refused: counter('platen_refused_writes_total', 'Writes under a lease that was no longer the newest.'),
    repairs: counter('platen_reconciler_repairs_total', 'Repairs by the reconciler: none in a healthy run.', 'kind'),
    wakes: counter('platen_reconciler_wakes_total', 'Wake-ups that the reconciler repeated.'),
    deliveries: counter('platen_deliveries_total', 'Attempts at a webhook.', 'outcome'),
    previews: counter('platen_previews_total', 'Drafts that were rendered.', 'outcome'),
  };
}
