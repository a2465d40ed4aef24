import { randomUUID } from 'node:crypto';
import type { JobEvent } from '#libs/events/job-event.js';
import { signals, type CommittedJob } from '#libs/tracepoints/signals.js';
import { Metrics } from './metrics.js';
import { RoadMetrics } from './road-metrics.js';

const at = (second: number) => new Date(second * 1_000).toISOString();

let metrics: Metrics;
let road: RoadMetrics;

beforeEach(() => {
  metrics = new Metrics();
  road = new RoadMetrics(metrics);
});
afterEach(() => metrics.close());

const committed = (job: CommittedJob, ...events: Array<Partial<JobEvent> & Pick<JobEvent, 'type'>>) =>
  signals.committed.send({
    job, events: events.map((event, seq) => ({ seq, job_id: job.id, at: at(0), generation_id: 'g', ...event })),
  });
const job = (workflowId: string | null = null): CommittedJob => ({
  id: randomUUID(), workflowId,
});
const read = async () => (await metrics.text()).split('\n').filter((line) => line.startsWith('platen_'));

describe('metrics of the road', () => {
  it('count generations by status and workflow, their wait and their duration', async () => {
    const workflowId = randomUUID();
    signals.begun.send({ waitedMs: 2_000 });
    committed(job(workflowId), { type: 'generation_started', at: at(12) });
    committed(job(workflowId), { type: 'generation_waiting', at: at(13) }, { type: 'generation_resumed', at: at(20) });
    committed(job(workflowId), { type: 'generation_completed', at: at(42) });
    committed(job(), { type: 'generation_failed', generation_id: 'another', at: at(50) });
    expect(await read()).toEqual(expect.arrayContaining([
      `platen_generations_total{status="completed",workflow="${workflowId}"} 1`,
      'platen_generations_total{status="failed",workflow="none"} 1',
      'platen_generation_queue_wait_seconds_sum 2',
      `platen_generation_duration_seconds_sum{status="completed",workflow="${workflowId}"} 30`,
    ]));
    expect(road.workflowIds).toEqual([workflowId]);
  });

  it('count attempts by node, their errors and the retries they lead to', async () => {
    const step = { step_id: 's', node: 'p5' };
    const error = { code: 'SKETCH_TIMEOUT', message: '' };
    committed(job(), { type: 'node_started', ...step, at: at(1) });
    committed(job(), { type: 'node_failed', ...step, at: at(3), error, retry_at: at(4) });
    committed(job(), { type: 'node_started', ...step, at: at(5) }, { type: 'node_completed', ...step, at: at(9) });
    expect(await read()).toEqual(expect.arrayContaining([
      'platen_steps_total{node="p5",outcome="failed"} 1',
      'platen_steps_total{node="p5",outcome="completed"} 1',
      'platen_step_duration_seconds_sum{node="p5",outcome="failed"} 2',
      'platen_step_duration_seconds_sum{node="p5",outcome="completed"} 4',
      'platen_step_errors_total{node="p5",code="SKETCH_TIMEOUT"} 1',
      'platen_retries_total{node="p5"} 1',
    ]));
  });

  it('count submissions, credits, refused writes, repairs and drafts', async () => {
    signals.submitted.send({ workflowId: null, face: 'collections', generations: 3 });
    signals.moved.send([
      { type: 'hold', amount: 1_500_000n, key: 'a' }, { type: 'hold', amount: 250_000n, key: 'b' },
      { type: 'capture', amount: 250_000n, key: 'c' }, { type: 'adjust', amount: -5n, key: 'd' },
    ]);
    signals.refused.send({ generationId: 'g' });
    signals.repaired.send({ lostLeases: 2, timedOut: 0, woken: 5 });
    for (const status of ['delivered', 'pending', 'pending', 'disabled'] as const) signals.delivered.send({ status });
    signals.drafted.send({ ok: false });
    expect(await read()).toEqual(expect.arrayContaining([
      'platen_submissions_total{face="collections"} 1',
      'platen_generations_submitted_total{workflow="none"} 3',
      'platen_credits_total{type="hold"} 1.75',
      'platen_credits_total{type="capture"} 0.25',
      'platen_refused_writes_total 1',
      'platen_reconciler_repairs_total{kind="lost_lease"} 2',
      'platen_reconciler_repairs_total{kind="timed_out"} 0',
      'platen_reconciler_wakes_total 5',
      'platen_deliveries_total{outcome="delivered"} 1',
      'platen_deliveries_total{outcome="retried"} 2',
      'platen_deliveries_total{outcome="disabled"} 1',
      'platen_previews_total{outcome="faulty"} 1',
    ]));
  });

  it('stay bounded, whatever users call their workflows, nodes and errors', async () => {
    for (let index = 0; index < 300; index++) {
      committed(
        job(randomUUID()),
        { type: 'generation_completed' },
        { type: 'node_failed', node: 'javascript', error: { code: `E${index}`, message: '' } },
        { type: 'node_completed', node: `p5${'.'.repeat(index)}` },
      );
    }
    const lines = await read();
    const of = (name: string) => lines.filter((line) => line.startsWith(name));
    expect(of('platen_generations_total{')).toHaveLength(101);
    expect(of('platen_step_errors_total{')).toHaveLength(101);
    expect(of('platen_steps_total{')).toHaveLength(101);
    expect(lines).toContain('platen_generations_total{status="completed",workflow="other"} 200');
  });

  it('hear nothing once they are closed', async () => {
    metrics.close();
    signals.refused.send({ generationId: 'g' });
    expect(await read()).toEqual([]);
  });
});
