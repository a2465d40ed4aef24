export const BLOCKCHAINS = ['ETHEREUM', 'BASE', 'TEZOS'] as const;
export type Blockchain = (typeof BLOCKCHAINS)[number];

/** A chain's own coin: the currency of a price that names none. */
const COINS: Record<Blockchain, string> = { ETHEREUM: 'ETH', BASE: 'ETH', TEZOS: 'XTZ' };
export const coinOf = (blockchain: Blockchain | null): string | null => blockchain && COINS[blockchain];

/** What its owner says about a collection. What is absent or null is not said. */
export interface CollectionMetadata {
  title?: string | null;
  description?: string | null;
  editions?: number | null;
  price?: number | null;
  currency?: string | null;
  blockchain?: Blockchain | null;
  /** ISO 8601. */
  publish_date?: string | null;
  cover_image_url?: string | null;
  batch_mint_enabled?: boolean | null;
  batch_max_tokens?: number | null;
  archived?: boolean | null;
  remixable?: boolean | null;
  encryption_enabled?: boolean | null;
}
