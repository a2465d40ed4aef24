import { Asset } from '../assets/asset.dto.js';
import { ApiScalar } from '../http/answers.js';

/** Where more about a collection is. */
export class CollectionUrls {
  collection_url: string;
}

/** A trait and how many finished editions have it. */
export class TraitCountAnswer {
  trait_type: string;

  @ApiScalar()
  value: unknown;

  count: number;
}

/** What its owner and the public see. */
class CollectionFields {
  id: string;
  title: string | null;
  description: string | null;
  status: 'draft' | 'published';
  project_id: string;
  /** Addresses of its newest assets, 100 at most. */
  images: string[];
  /** Thumbnails of its first editions, four at most, once they are made. */
  preview_images: string[];
  /** Its owner's, else a picture of its first edition. */
  cover_image_url: string | null;
  editions: number | null;
  price: number | null;
  /** The chain's coin where none was named. */
  currency: string | null;
  blockchain: 'ETHEREUM' | 'BASE' | 'TEZOS' | null;
  /** ISO 8601, as all times. */
  publish_date: string | null;
  archived: boolean;
  batch_mint_enabled: boolean;
  batch_max_tokens: number | null;
  encryption_enabled: boolean;
  is_current: boolean;
  remixable: boolean;
  created_at: string;
  updated_at: string;
  urls: CollectionUrls;
}

/** A collection in the public list: of its `images` the newest four. */
export class ListedCollectionAnswer extends CollectionFields {}

/** A collection as its owner sees it. */
export class CollectionAnswer extends CollectionFields {
  /** The instruction set; ids of its steps are component ids. */
  data: object | null;
}

/** A collection as everyone sees it. */
export class PublicCollectionAnswer extends CollectionFields {
  /** Only where the collection is remixable. */
  data?: object | null;
  /** Newest first, 100 at most. */
  assets: Asset[];
  traits: TraitCountAnswer[];
  /** Finished editions. */
  generations: number;
}
