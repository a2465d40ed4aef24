import PQueue from 'p-queue';
import type { FileUrls } from '#libs/assets/file-urls.js';
import type { CollectionRow } from '#libs/collections/collection.js';
import { CountedEditions } from '#libs/collections/counted-editions.js';
import type { Database } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { collectionNotFound, rateLimited } from '#libs/errors/errors.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { Trait } from '#libs/nodes/node.js';
import { contractMetadata, type ContractMetadata } from './contract-metadata.js';
import { addressIn, currentAddress, type FileAddress } from './file-address.js';
import { editionIds, editionsIn, rankEditions, type EditionWindow, type RankedEdition, type Ranking } from './ranked-editions.js';
import { mediaOf, stillOf } from './token-media.js';
import { openedEditions } from './sealed-editions.js';
import { metadataFileName, metadataOf, standardOf, type TokenStandard } from './token-standard.js';
import { tokenOf } from './token.js';

/**
 * Ranking counts all editions of a collection, and everyone may ask for it: so many at once in this process, and so
 * many that wait for their turn.
 */
const RANKINGS = 2;
const WAITING = 50;
const RETRY_AFTER_SECONDS = 5;
/** Of 10,000 editions each takes about a megabyte. */
const KEPT_RANKINGS = 20;

export type TokenCollection = Pick<
  CollectionRow, 'id' | 'title' | 'description' | 'cover_image_url' | 'blockchain' | 'encryption_enabled'
>;

export interface TokenOptions {
  /** Default: what marketplaces of the collection's chain expect. */
  standard?: TokenStandard;
  /** Folder in which the files lie, or will, with the names of the archive. Default: where they are here. */
  imagesUri?: string;
}

/** A trait, and how many of the editions have the same: all together, and as a part of 1. */
export interface TokenTrait extends Trait {
  count: number;
  share: number;
}

/** A finished edition and its metadata. */
export interface TokenView {
  token_id: string;
  /** Name of its metadata in the archive. */
  file_name: string;
  hash: string;
  generation_id: string;
  /** `rank` 1 is the rarest `of` so many; `score` the content of its traits, 1 as much as the mean. */
  rarity: { rank: number; score: number; of: number };
  traits: TokenTrait[];
  metadata: JsonObject;
}

/** What marketplaces read of a collection. What the viewer may not see is as unknown as what does not exist. */
export class TokenCollections {
  private readonly rankings = new PQueue({ concurrency: RANKINGS });
  private readonly counted = new CountedEditions<Ranking>(KEPT_RANKINGS);

  constructor(
    private readonly database: Database,
    private readonly urls: FileUrls,
    private readonly keys: CollectionKeys,
  ) {}

  /** A published collection, unless archived; its owner's in any state. Throws `COLLECTION_NOT_FOUND`. */
  async find(viewerId: string | undefined, id: string): Promise<TokenCollection> {
    const [row] = await this.database.query<TokenCollection>(
      `select id, title, description, cover_image_url, blockchain, encryption_enabled from collection
        where id = $1 and (status = 'published' and not archived or user_id = $2)`,
      [id, viewerId ?? null],
    );
    if (!row) throw collectionNotFound();
    return row;
  }

  /** The finished editions of a window, by number. Throws `RATE_LIMITED` when too many wait for theirs. */
  async tokens(collection: TokenCollection, options: TokenOptions, window: EditionWindow): Promise<TokenView[]> {
    const { standard = standardOf(collection.blockchain) } = options;
    const address = this.addressOf(options);
    const ranking = await this.counted.of(this.database, collection.id, () => this.rank(collection.id));
    const ranked = await editionsIn(this.database, ranking, window);
    const editions = await openedEditions(this.keys, collection, ranked);
    const media = await mediaOf(this.database, editions.map(({ id }) => id));
    return editions.map((edition) => {
      const token = tokenOf(collection, { ...edition, media: media(edition.id) }, address);
      return tokenView(edition, metadataFileName(standard, edition.number), metadataOf(standard, token));
    });
  }

  /** Of the contract that the tokens belong to. */
  async contract(collection: TokenCollection): Promise<ContractMetadata> {
    const [first] = await editionIds(this.database, collection.id, 1);
    const image = first === undefined ? null : stillOf((await mediaOf(this.database, [first]))(first));
    return contractMetadata(collection, image && this.addressOf({})(image, 1));
  }

  private async rank(collectionId: string): Promise<Ranking> {
    if (this.rankings.size >= WAITING) throw rateLimited(RETRY_AFTER_SECONDS);
    return this.rankings.add(() => rankEditions(this.database, collectionId));
  }

  private addressOf({ imagesUri }: TokenOptions): FileAddress {
    return imagesUri === undefined ? currentAddress(this.urls) : addressIn(imagesUri);
  }
}

const tokenView = (
  { id, hash, number, rank, score, total, traits }: RankedEdition,
  file_name: string,
  metadata: JsonObject,
): TokenView => ({
  token_id: String(number),
  file_name,
  hash,
  generation_id: id,
  rarity: { rank, score, of: total },
  traits: traits.map((trait) => ({ ...trait, share: trait.count / total })),
  metadata,
});
