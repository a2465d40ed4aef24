import { setTimeout as delay } from 'node:timers/promises';
import type { JobEvent } from '#libs/events/job-event.js';
import type { JobView } from '#libs/generations/job-view.js';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import { eventually } from '../setup/eventually.js';
import type { Client, Receipt } from './client.js';
import { busyStep, formWorkflow, quickStep } from './pipelines.js';
import { describeWithEachBackend, PlatenProcesses, type Api } from './platen-processes.js';
import type { Program } from './program.js';

/** A lease lasts 10 s, and lost ones are looked for every 2 s: 15 s (`npm run chaos -- kill-workers`), twice that on a busy machine. */
const TAKEOVER_MS = 30_000;
/** How far a step is when its worker is stopped: well before its end, some seconds later. */
const MID_STEP_MS = 200;

const STEPS: Step[] = [
  quickStep('first'),
  quickStep('second', { before: { $ref: 'first' } }),
  busyStep('slow', 25, { before: { $ref: 'second' } }),
  quickStep('last', { before: { $ref: 'slow' } }),
];

describeWithEachBackend('a worker that stops in the middle of a step', (variables) => {
  let platen: PlatenProcesses;
  let api: Api;
  let workers: Program[];
  let artist: Client;
  let workflowId: string;

  beforeAll(async () => {
    platen = await PlatenProcesses.prepare(variables);
    [api, ...workers] = await Promise.all([platen.api(), platen.worker(), platen.worker()]);
    artist = await platen.richClient(api, 10);
    const workflow = formWorkflow('slow', { base: 0.5, per_generation: 0.25 }, STEPS);
    workflowId = (await artist.create<{ id: string }>('/workflows', workflow)).id;
  });
  afterAll(() => platen.close());

  /** Submits, and waits until one of the workers is in the middle of the slow step. */
  async function submitToMidStep(): Promise<{ jobId: string; holder: Program; others: Program[] }> {
    const request = { title: 'Slow', workflow_id: workflowId };
    const { job_id: jobId } = await artist.create<Receipt>('/api/collections/generate', request);
    await eventually(async () => {
      const steps = (await artist.read<JobView>(`/jobs/${jobId}`)).generations[0]!.steps;
      expect(steps.map(({ status }) => status)).toEqual(['completed', 'completed', 'running']);
    }, 10_000);
    await delay(MID_STEP_MS);
    const [holders, others] = [true, false].map((holds) =>
      workers.filter(({ output }) => output.includes(jobId) === holds),
    ) as [Program[], Program[]];
    expect(holders).toHaveLength(1);
    return { jobId, holder: holders[0]!, others };
  }

  /** Whoever did it: each step but the slow one ran once, it was paid once, and the events are whole. */
  async function expectFinishedOnce(jobId: string, attemptOfSlowStep: number): Promise<JobEvent[]> {
    const job = await artist.ended(jobId);
    const cost = { total: 0.75, held: 0, captured: 0.75, released: 0 };
    expect(job).toMatchObject({ status: 'completed', cost });
    const attempts = job.generations[0]!.steps.map(({ status, attempt }) => `${status} ${attempt}`);
    const slow = `completed ${attemptOfSlowStep}`;
    expect(attempts).toEqual(['completed 1', 'completed 1', slow, 'completed 1']);
    const events = await artist.list<JobEvent>(`/jobs/${jobId}/history`);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.filter(({ type }) => type === 'node_started')).toHaveLength(3 + attemptOfSlowStep);
    expect(events.at(-1)).toMatchObject({ type: 'job_completed' });
    expect(await platen.drift(api)).toEqual([]);
    return events;
  }

  it('by being killed: another goes on from the checkpoint, and it is paid once', async () => {
    const { jobId, holder, others } = await submitToMidStep();
    await holder.end('SIGKILL');
    await eventually(async () => {
      const [, , slow] = (await artist.read<JobView>(`/jobs/${jobId}`)).generations[0]!.steps;
      expect(slow).toMatchObject({ attempt: 2 });
    }, TAKEOVER_MS);
    const events = await expectFinishedOnce(jobId, 2);
    expect(failuresIn(events)).toEqual(['WORKER_LOST']);
    expect(await artist.read('/credits')).toMatchObject({ balance: 9.25, held: 0 });
    workers = others;
  });

  it('by being told to: it ends the step, hands the rest over, and exits with 0', async () => {
    const { jobId, holder } = await submitToMidStep();
    // Without any grace, for the next test.
    const starting = platen.worker({ SHUTDOWN_GRACE_MS: '0' });
    const [code, next] = await Promise.all([holder.end('SIGTERM'), starting]);
    expect(code).toBe(0);
    expect(failuresIn(await expectFinishedOnce(jobId, 1))).toEqual([]);
    workers = [next];
  });

  it('by being told to, without a grace: it hands over at once, and nobody waits for a lease', async () => {
    const { jobId, holder } = await submitToMidStep();
    const [code] = await Promise.all([holder.end('SIGTERM'), platen.worker()]);
    expect(code).toBe(0);
    expect(failuresIn(await expectFinishedOnce(jobId, 2))).toEqual([]);
  });
});

const failuresIn = (events: JobEvent[]) =>
  events.filter(({ type }) => type === 'node_failed').map(({ error }) => error?.code);
