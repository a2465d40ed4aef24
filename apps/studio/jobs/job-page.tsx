import { useEffect, useMemo, useState } from 'preact/hooks';
import { sentenceOf } from '../api/client.js';
import { readCollection } from '../api/platen.js';
import type { Job } from '../api/shapes.js';
import { hrefOf } from '../app/router.js';
import { creditsText, durationText, secondsBetween, timeText } from '../elements/amounts.js';
import { useLoaded } from '../elements/loading.js';
import { Notice } from '../elements/notice.js';
import { Progress } from '../elements/progress.js';
import { Status, statusName } from '../elements/status.js';
import { Title } from '../elements/title.js';
import { EventLog } from './event-log.js';
import { followedJob, type FollowedJob } from './followed-job.js';
import { GraphView } from './graph-view.js';
import { JobActions } from './job-actions.js';
import { HELD_BACK, hasEnded } from './job-state.js';
import { graphOf, type GraphNode } from './step-graph.js';
import { StepsTable } from './steps-table.js';

/** A job as those see it who want to know why. */
export function JobPage({ id }: { id: string }) {
  const live = useMemo(() => followedJob(id), [id]);
  useEffect(() => {
    live.follow();
    return live.stop;
  }, [live]);
  const job = live.job.value;
  const error = live.error.value;
  return (
    <>
      {error !== null && <Notice>{sentenceOf(error)}</Notice>}
      {job && <Shown job={job} live={live} />}
      {!job && error === null && <p class="quiet" role="status">One moment …</p>}
    </>
  );
}

function Shown({ job, live }: { job: Job; live: FollowedJob }) {
  return (
    <>
      <div class="headline">
        <div>
          <Title>{job.name}</Title>
          <p class="facts" aria-live="polite">
            <Status of={job.status} />
            {job.paused && !hasEnded(job.status) && <span>{HELD_BACK}</span>}
            {live.connected.value === false && !hasEnded(job.status) && <span class="fault">Connection lost: coming back …</span>}
            {job.collection_id !== null && <a href={hrefOf(`/collections/${job.collection_id}`)}>The collection</a>}
          </p>
        </div>
        <JobActions job={job} onResumed={live.follow} />
      </div>
      {!hasEnded(job.status) && <Progress percent={job.progress} label="The whole job" />}
      {job.error && <Notice>{job.error.message}</Notice>}
      <Figures job={job} />
      <Editions job={job} />
      <EventLog jobId={job.id} live={live} />
    </>
  );
}

function Figures({ job: { counts, cost, created_at, started_at, completed_at } }: { job: Job }) {
  return (
    <dl class="figures">
      <div class="main"><dt>Finished</dt><dd>{counts.completed} of {counts.total}</dd></div>
      <div><dt>Spent</dt><dd>{creditsText(cost.captured)}</dd></div>
      {cost.released > 0 && <div><dt>Given back</dt><dd>{creditsText(cost.released)}</dd></div>}
      <div><dt>Begun</dt><dd>{timeText(created_at)}</dd></div>
      {started_at !== null && <div><dt>Took</dt><dd>{durationText(secondsBetween(started_at, completed_at))}</dd></div>}
    </dl>
  );
}

/** The graph and the steps of the edition that is chosen. */
function Editions({ job }: { job: Job }) {
  const [chosen, choose] = useState(0);
  const nodes = useNodes(job);
  const generation = job.generations[chosen];
  if (!generation) return null;
  return (
    <section>
      <div class="headline">
        <h2>Steps</h2>
        <label class="inline">
          <span>Edition</span>
          <select value={String(chosen)} onChange={({ currentTarget }) => choose(Number(currentTarget.value))}>
            {job.generations.map(({ index, status }, place) => (
              <option value={String(place)}>{index + 1}: {statusName(status)}</option>
            ))}
          </select>
        </label>
      </div>
      {generation.error && <Notice>{generation.error.message}</Notice>}
      {nodes.length > 0 && <GraphView nodes={nodes} steps={generation.steps} />}
      <StepsTable steps={generation.steps} />
    </section>
  );
}

/** Of the collection's set; where that has changed since, of what the job itself tells. */
function useNodes(job: Job): GraphNode[] {
  const id = job.collection_id;
  const { data } = useLoaded(() => (id === null ? Promise.resolve(null) : readCollection(id)), id);
  const nodes = useMemo(() => graphOf(data?.data?.steps ?? []), [data]);
  const begun = job.generations.flatMap(({ steps }) => steps);
  const isOfThisSet = begun.every(({ step_id }) => nodes.some((node) => node.id === step_id));
  if (isOfThisSet && nodes.length > 0) return nodes;
  const known = new Map(begun.map((step) => [step.step_id, step]));
  return [...known.values()].map(({ step_id, alias, node }, level) => ({
    id: step_id, name: alias ?? node, node, from: [], level, place: 0,
  }));
}
