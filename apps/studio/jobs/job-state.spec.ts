import type { Job, JobEvent } from '../api/shapes.js';
import { afterEvent } from './job-state.js';
import { graphOf } from './step-graph.js';

const AT = '2026-01-01T00:00:00.000Z';
const generation = (index: number) => ({
  id: `g${index}`, index, hash: 'oo', status: 'pending', progress: 0, error: null, traits: [], steps: [], assets: [], started_at: null,
  completed_at: null,
});
const JOB = {
  id: 'j', status: 'pending', progress: 0, counts: { total: 2, completed: 0, failed: 0, cancelled: 0 }, started_at: null,
  completed_at: null, queue_position: 1, paused: false, error: null, generations: [generation(0), generation(1)],
} as unknown as Job;

const event = (type: string, more: Partial<JobEvent> = {}): JobEvent => ({ type, job_id: 'j', at: AT, ...more });
const of = (index: number) => ({ generation_id: `g${index}`, generation_index: index });
const step = { ...of(0), step_id: '7', node: 'p5', alias: 'art' };
const after = (...events: JobEvent[]) => events.reduce(afterEvent, JOB);

const ASSET = { id: '1', url: '/files/1' } as JobEvent['asset'];
const ONE_DONE = [
  event('job_started'),
  event('generation_started', of(0)),
  event('node_started', { ...step, attempt: 1, progress: 0 }),
  event('node_progress', { ...step, progress: 40 }),
  event('node_completed', { ...step, progress: 100 }),
  event('image_generated', { ...of(0), asset: ASSET }),
  event('generation_completed', of(0)),
];

describe('a job after its events', () => {
  it('is what they tell: states, steps, files and counts', () => {
    const job = after(...ONE_DONE);
    expect(job).toMatchObject({ status: 'processing', progress: 50, counts: { completed: 1 }, queue_position: null });
    expect(afterEvent({ ...JOB, paused: true }, event('job_started'))).toMatchObject({ paused: false });
    expect(job.generations[0]).toMatchObject({
      status: 'completed', progress: 100, assets: [{ id: '1' }], steps: [{ step_id: '7', alias: 'art', status: 'completed', progress: 100 }],
    });
    expect(after(...ONE_DONE, event('generation_failed', { ...of(1), error: { code: 'X', message: 'no' } }), event('job_failed'))).toMatchObject({
      status: 'failed', completed_at: AT, counts: { completed: 1, failed: 1 }, generations: [{}, { error: { message: 'no' } }],
    });
  });

  it('is the same when they come twice', () => {
    expect(after(...ONE_DONE, ...ONE_DONE.slice(4))).toEqual(after(...ONE_DONE));
  });

  it('takes no progress of a step that has ended, and never goes back', () => {
    const late = after(...ONE_DONE, event('node_progress', { ...step, progress: 60 }));
    expect(late).toEqual(after(...ONE_DONE));
  });

  it('knows a retry from the attempt before', () => {
    const failed = event('node_failed', { ...step, attempt: 1, error: { code: 'X', message: 'again' } });
    const job = after(...ONE_DONE.slice(0, 4), failed, event('node_started', { ...step, attempt: 2, progress: 0 }));
    expect(job.generations[0]!.steps).toMatchObject([{ status: 'running', attempt: 2, progress: 0, error: null }]);
  });

  it('is not changed by what it does not know', () => {
    expect(after(event('moon_rose'), event('generation_started', { generation_id: 'other' }))).toEqual(JOB);
  });
});

describe('the graph of a set', () => {
  const graph = graphOf([
    { id: 1, alias: 'word', nodeName: 'variables', nodePayload: {} },
    { id: 2, nodeName: 'prompt', nodePayload: { template: 'a {{$ref:word.Ink}} fox' } },
    { id: 3, nodeName: 'p5', nodePayload: { assets: [{ $ref: '2' }], variables: { ink: { $ref: 'word', path: 'Ink' } } } },
    { id: 4, nodeName: 'javascript', nodePayload: { code: 'return 1' } },
  ]);

  it('puts each step below all that it takes from', () => {
    expect(graph.map(({ id, from, level, place }) => ({ id, from, level, place }))).toEqual([
      { id: '1', from: [], level: 0, place: 0 },
      { id: '2', from: ['1'], level: 1, place: 0 },
      { id: '3', from: ['2', '1'], level: 2, place: 0 },
      { id: '4', from: [], level: 0, place: 1 },
    ]);
  });
});
