import type { InstructionSet } from '#libs/instruction-set/instruction-set.js';
import { coinOf, type Blockchain } from './collection-metadata.js';
import type { ShownPreview } from './collection-preview.js';

/** A row of `collection` as `pg` reads it. */
export interface CollectionRow {
  id: string;
  user_id: string;
  project_id: string;
  title: string | null;
  description: string | null;
  status: 'draft' | 'published';
  data: InstructionSet | null;
  cover_image_url: string | null;
  editions: number | null;
  price: string | null;
  currency: string | null;
  blockchain: Blockchain | null;
  publish_date: Date | null;
  archived: boolean;
  batch_mint_enabled: boolean;
  batch_max_tokens: number | null;
  encryption_enabled: boolean;
  is_current: boolean;
  remixable: boolean;
  created_at: Date;
  updated_at: Date;
}

type Rewritten = 'user_id' | 'price' | 'publish_date' | 'created_at' | 'updated_at';

/** A collection as its owner sees it. */
export interface CollectionView extends Omit<CollectionRow, Rewritten> {
  /** Addresses of its newest assets. */
  images: string[];
  /** Thumbnails of its first editions. */
  preview_images: string[];
  price: number | null;
  publish_date: string | null;
  created_at: string;
  updated_at: string;
  urls: { collection_url: string };
}

/** Without a cover of its owner's it shows the one that was made. */
export function collectionView(row: CollectionRow, images: string[], preview?: ShownPreview): CollectionView {
  return {
    id: row.id,
    title: row.title,
    description: row.description,
    status: row.status,
    project_id: row.project_id,
    data: row.data,
    images,
    preview_images: preview?.images ?? [],
    cover_image_url: row.cover_image_url ?? preview?.cover ?? null,
    editions: row.editions,
    price: row.price === null ? null : Number(row.price),
    currency: row.currency ?? coinOf(row.blockchain),
    blockchain: row.blockchain,
    publish_date: row.publish_date?.toISOString() ?? null,
    archived: row.archived,
    batch_mint_enabled: row.batch_mint_enabled,
    batch_max_tokens: row.batch_max_tokens,
    encryption_enabled: row.encryption_enabled,
    is_current: row.is_current,
    remixable: row.remixable,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    urls: { collection_url: collectionUrl(row.id) },
  };
}

export const collectionUrl = (id: string) => `/collections/${id}/public`;

