import type { ComponentChildren } from 'preact';
import type { Collection } from '../api/shapes.js';
import { Emblem } from '../workflows/emblem.js';

/** A collection among others. */
export function CollectionCard({ collection, href, children }: {
  collection: Collection;
  href: string;
  children?: ComponentChildren;
}) {
  const picture = collection.preview_images[0] ?? collection.cover_image_url ?? collection.images[0];
  return (
    <a class="card" href={href}>
      {picture ? <img src={picture} alt="" loading="lazy" decoding="async" /> : <Emblem seed={collection.id} />}
      <h2>{collection.title ?? 'Untitled'}</h2>
      {children}
    </a>
  );
}
