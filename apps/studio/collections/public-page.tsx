import { readPublicCollection } from '../api/platen.js';
import type { PublicCollection } from '../api/shapes.js';
import { counted } from '../elements/amounts.js';
import { Loading, useLoaded } from '../elements/loading.js';
import { Title } from '../elements/title.js';
import { Picture } from './edition.js';

/** A published collection as everyone sees it; its owner sees a draft, too. */
export function PublicPage({ id }: { id: string }) {
  const collection = useLoaded(() => readPublicCollection(id), id);
  return <Loading of={collection}>{(found) => <Shown collection={found} />}</Loading>;
}

function Shown({ collection: { title, description, generations, assets, traits } }: { collection: PublicCollection }) {
  return (
    <>
      <Title>{title ?? 'Untitled'}</Title>
      <p class="lead">{counted(generations, 'edition')}</p>
      {description && <p>{description}</p>}
      <ul class="wall" aria-label="Editions">
        {assets.map((asset) => (
          <li class="edition" key={asset.id}>
            <a class="frame" href={asset.url} target="_blank" rel="noreferrer"><Picture asset={asset} alt={asset.name} /></a>
          </li>
        ))}
      </ul>
      {traits.length > 0 && (
        <section>
          <h2>Traits</h2>
          <dl class="traits wide">
            {traits.map(({ trait_type, value, count }) => (
              <div><dt>{trait_type}</dt><dd>{String(value)} <small>{count} of {generations}</small></dd></div>
            ))}
          </dl>
        </section>
      )}
    </>
  );
}
