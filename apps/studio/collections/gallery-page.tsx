import { listPublished } from '../api/platen.js';
import { hrefOf } from '../app/router.js';
import { timeText } from '../elements/amounts.js';
import { Pages } from '../elements/pages.js';
import { Title } from '../elements/title.js';
import { CollectionCard } from './collection-card.js';

/** What everyone may look at. */
export function GalleryPage() {
  return (
    <>
      <Title>Gallery</Title>
      <p class="lead">Collections that their artists have published.</p>
      <Pages load={listPublished}>
        {(collections) => collections.length === 0
          ? <p class="quiet">Nothing is published yet.</p>
          : (
            <ul class="cards">
              {collections.map((collection) => (
                <li key={collection.id}>
                  <CollectionCard collection={collection} href={hrefOf(`/gallery/${collection.id}`)}>
                    <p class="quiet">{timeText(collection.created_at)}</p>
                  </CollectionCard>
                </li>
              ))}
            </ul>
          )}
      </Pages>
    </>
  );
}
