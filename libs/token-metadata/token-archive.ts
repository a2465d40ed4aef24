import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { makeZip } from 'client-zip';
import type { FileUrls } from '#libs/assets/file-urls.js';
import { variantAt } from '#libs/assets/thumbnails.js';
import type { Database } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { collectionNotFound } from '#libs/errors/errors.js';
import type { Trait } from '#libs/nodes/node.js';
import type { Storage } from '#libs/storage/storage.js';
import { contractMetadata } from './contract-metadata.js';
import { addressIn, publicAddress } from './file-address.js';
import { editionIds } from './ranked-editions.js';
import { openedEditions } from './sealed-editions.js';
import type { TokenCollection, TokenOptions } from './token-collections.js';
import { filesOf, mediaFileName, mediaOf, type TokenMedia } from './token-media.js';
import { metadataFileName, metadataOf, standardOf } from './token-standard.js';
import { tokenOf } from './token.js';

/** Editions of which rows are in memory at a time. */
const BATCH = 100;
const IMAGES = 'images';

interface Edition {
  number: number;
  traits: Trait[];
  media: TokenMedia;
  completedAt: Date;
}

interface Entry {
  name: string;
  input: string | AsyncIterable<Uint8Array>;
  lastModified?: Date;
}

/** A collection as a folder that can be pinned as it is. */
export class TokenArchives {
  constructor(
    private readonly database: Database,
    private readonly urls: FileUrls,
    private readonly storage: Storage,
    private readonly keys: CollectionKeys,
  ) {}

  /**
   * The folder as a zip: `images/`, the metadata of each token, `contract.json`, `SHA256SUMS` (of the images and
   * what is played, by token) and `provenance.json`. It is made while it is read, one file at a time, of the editions that are finished
   * now. Fails when a file cannot be read to its end; who does not read on destroys it, which ends all reading.
   */
  async stream(collection: TokenCollection, options: TokenOptions): Promise<Readable> {
    const ids = await editionIds(this.database, collection.id);
    const reading = new AbortController();
    const zip = Readable.fromWeb(makeZip(this.entries(collection, ids, options, reading.signal)));
    return zip.once('close', () => reading.abort());
  }

  private async *entries(
    collection: TokenCollection,
    ids: string[],
    { standard = standardOf(collection.blockchain), imagesUri }: TokenOptions,
    signal: AbortSignal,
  ): AsyncGenerator<Entry> {
    const address = imagesUri === undefined ? publicAddress(this.urls) : addressIn(imagesUri);
    const sums: string[] = [];
    let firstImage: string | null = null;
    for await (const { completedAt: lastModified, ...edition } of this.editions(collection, ids)) {
      signal.throwIfAborted();
      const token = tokenOf(collection, edition, address);
      if (edition.number === 1) firstImage = token.image?.uri ?? null;
      for (const file of filesOf(edition.media)) {
        const name = `${IMAGES}/${mediaFileName(edition.number, file)}`;
        // A poster is made of its video, and may be made later than this folder.
        if (!variantAt(file.storage_key)) sums.push(`${file.sha256}  ${name}\n`);
        yield { name, lastModified, input: this.bytesOf(file.storage_key, signal) };
      }
      const name = metadataFileName(standard, edition.number);
      yield { name, lastModified, input: toJson(metadataOf(standard, token)) };
    }
    yield { name: 'contract.json', input: toJson(contractMetadata(collection, firstImage)) };
    yield { name: 'SHA256SUMS', input: sums.join('') };
    yield { name: 'provenance.json', input: toJson(provenanceOf(sums, ids.length)) };
  }

  /** Opened when its first byte is read, so that none is open that nobody reads. */
  private async *bytesOf(key: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    yield* (await this.storage.open(key, { signal })) as AsyncIterable<Uint8Array>;
  }

  private async *editions(collection: TokenCollection, ids: string[]): AsyncGenerator<Edition> {
    for (let start = 0; start < ids.length; start += BATCH) {
      const batch = ids.slice(start, start + BATCH);
      const stored = await this.database.query<{ id: string; traits: Trait[]; completed_at: Date }>(
        'select id, traits, completed_at from generation where id = any($1::uuid[])',
        [batch],
      );
      const rows = await openedEditions(this.keys, collection, stored);
      const media = await mediaOf(this.database, batch);
      const byId = new Map(rows.map((row) => [row.id, row]));
      for (const [i, id] of batch.entries()) {
        const row = byId.get(id);
        // Deleted while it was read.
        if (!row) throw collectionNotFound();
        yield { number: start + i + 1, traits: row.traits, media: media(id), completedAt: row.completed_at };
      }
    }
  }
}

/** The hash over the digests in `SHA256SUMS`, one after another as text: set in advance, it fixes all images' order. */
const provenanceOf = (sums: string[], editions: number) => ({
  provenance_hash: sums.reduce((hash, line) => hash.update(line.slice(0, 64)), createHash('sha256')).digest('hex'),
  algorithm: 'sha256',
  editions,
});

const toJson = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
