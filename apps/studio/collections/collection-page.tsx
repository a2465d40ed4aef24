import { useEffect, useMemo, useState } from 'preact/hooks';
import { sentenceOf } from '../api/client.js';
import { readCollection } from '../api/platen.js';
import type { Job, OwnCollection } from '../api/shapes.js';
import { hrefOf } from '../app/router.js';
import { counted } from '../elements/amounts.js';
import { Loading, useLoaded } from '../elements/loading.js';
import { Notice } from '../elements/notice.js';
import { Status } from '../elements/status.js';
import { Title } from '../elements/title.js';
import { hasEnded } from '../jobs/job-state.js';
import { collectionRuns, editionsOf, type CollectionRuns, type NumberedEdition } from './collection-runs.js';
import { Edition } from './edition.js';
import { EditionDialog } from './edition-dialog.js';
import { MoreEditions } from './more-editions.js';
import { Publish } from './publish.js';
import { RunState } from './run-state.js';

const PUBLISHED_AFTER_MS = 5_000;

/** A collection while it is made, and after. */
export function CollectionPage({ id }: { id: string }) {
  const collection = useLoaded(() => readCollection(id), id);
  const runs = useMemo(() => collectionRuns(id), [id]);
  useEffect(() => {
    void runs.refresh();
    return runs.stop;
  }, [runs]);
  return <Loading of={collection}>{(found) => <Made collection={found} runs={runs} onChange={collection.reload} />}</Loading>;
}

function Made({ collection, runs, onChange }: { collection: OwnCollection; runs: CollectionRuns; onChange: () => void }) {
  const jobs = runs.jobs.value.flatMap(({ job }) => job.value ?? []);
  const earlier = runs.earlier.value;
  const finished = jobs.reduce((sum, { counts }) => sum + counts.completed, earlier.completed);
  usePublished(collection, jobs, onChange);
  const isConnected = runs.connected.value !== false;
  return (
    <>
      <div class="headline">
        <div>
          <Title>{collection.title ?? 'Untitled'}</Title>
          <p class="facts">
            <Status of={collection.status} />
            <span>{counted(finished, 'finished edition')}</span>
            {collection.status === 'published' && <a href={hrefOf(`/gallery/${collection.id}`)}>Public page</a>}
          </p>
          {collection.description && <p>{collection.description}</p>}
        </div>
        <Publish collection={collection} canPublish={finished > 0} onPublished={onChange} />
      </div>
      {runs.error.value !== null && <Notice>{sentenceOf(runs.error.value)}</Notice>}
      {jobs.map((job) => <RunState key={job.id} job={job} isConnected={isConnected} />)}
      <Wall editions={editionsOf(jobs, earlier.total)} runs={runs} />
      <Unseen jobs={jobs} earlier={earlier.total} />
      <MoreEditions collectionId={collection.id} onStarted={runs.refresh} />
    </>
  );
}

/** A draft that is to publish itself is published by a worker, a moment after its last edition. */
function usePublished({ status }: OwnCollection, jobs: Job[], onChange: () => void) {
  const mayBe = status === 'draft' && jobs.length > 0 && jobs.every((job) => hasEnded(job.status));
  useEffect(() => {
    if (!mayBe) return;
    const timer = setTimeout(onChange, PUBLISHED_AFTER_MS);
    return () => clearTimeout(timer);
  }, [mayBe]);
}

function Wall({ editions, runs }: { editions: NumberedEdition[]; runs: CollectionRuns }) {
  const [opened, open] = useState<string | null>(null);
  const shown = editions.find(({ generation }) => generation.id === opened);
  const tokens = runs.tokens.value;
  return (
    <>
      <ul class="wall" aria-label="Editions">
        {editions.map(({ generation, number }) => (
          <Edition key={generation.id} generation={generation} number={number} token={tokens.get(generation.id)}
            onOpen={() => open(generation.id)} />
        ))}
      </ul>
      {shown && (
        <EditionDialog {...shown} key={opened} token={tokens.get(shown.generation.id)} onClose={() => open(null)} />
      )}
    </>
  );
}

/** A wall of thousands would stand still: of the newest jobs the first hundred editions hang there. */
function Unseen({ jobs, earlier }: { jobs: Job[]; earlier: number }) {
  const unseen = jobs.reduce((sum, { counts, generations }) => sum + counts.total - generations.length, earlier);
  return unseen > 0 ? <p class="quiet">And {counted(unseen, 'more edition')}.</p> : null;
}
