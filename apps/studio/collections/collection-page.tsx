import { useEffect, useMemo, useState } from 'preact/hooks';
import { sentenceOf } from '../api/client.js';
import { readCollection } from '../api/platen.js';
import type { OwnCollection } from '../api/shapes.js';
import { hrefOf } from '../app/router.js';
import { counted } from '../elements/amounts.js';
import { Loading, useLoaded } from '../elements/loading.js';
import { Notice } from '../elements/notice.js';
import { Status } from '../elements/status.js';
import { Title } from '../elements/title.js';
import { collectionRuns, editionsOf, type CollectionRuns, type NumberedEdition } from './collection-runs.js';
import { Edition } from './edition.js';
import { EditionDialog } from './edition-dialog.js';
import { MoreEditions } from './more-editions.js';
import { Publish } from './publish.js';
import { RunState } from './run-state.js';

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
  const editions = editionsOf(runs.jobs.value);
  const finished = editions.filter(({ generation }) => generation.status === 'completed').length;
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
      {runs.jobs.value.map((live) => <RunState key={live} live={live} />)}
      <Wall editions={editions} runs={runs} />
      <MoreEditions collectionId={collection.id} onStarted={runs.refresh} />
    </>
  );
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
