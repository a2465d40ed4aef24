import type { Readable } from 'node:stream';
import type { Plans } from '#libs/credits/plans.js';
import type { Database, Queryable, Transaction } from '#libs/database/database.js';
import { serviceUnavailable, storageQuotaExceeded, unsupportedMediaType } from '#libs/errors/errors.js';
import type { Storage } from '#libs/storage/storage.js';
import { inputKey, uploadKey } from './asset-key.js';
import { ASSET_COLUMNS, type AssetRow } from './asset-row.js';
import { fileName } from './file-name.js';
import { canReencode, measureImage, reencodeImage, type Dimensions } from './image.js';
import { detectMediaType, type MediaType } from './media-type.js';
import { isPolyglot } from './polyglot.js';
import type { Spool, SpooledFile } from './spool.js';
import { isPictured } from './thumbnails.js';

/** What a client sends: its own words about the file, and the bytes, which decide. */
export interface IncomingFile {
  name: string;
  mimeType: string;
  bytes: Readable;
}

/** All frames of an animation together. */
const MAX_PIXELS = 40e6;

/** What is taken, and where it is kept. */
export interface UploadRules {
  /** Default: the installation's limit. */
  maxBytes?: number;
  images: ReadonlySet<string>;
  texts: ReadonlySet<string>;
  /** For whom sends another type. */
  told: string;
  keyOf(userId: string, extension: string): string;
  /** Whether thumbnails are made of images. */
  thumbnails: boolean;
  /** Whether files that are something else besides an image are refused, not only drawn anew. */
  refusesPolyglots: boolean;
}

const ASSETS: UploadRules = {
  images: new Set(['image/png', 'image/apng', 'image/jpeg', 'image/webp', 'image/gif']),
  texts: new Set(['text/plain', 'text/csv', 'application/json']),
  told: 'PNG, JPEG, WebP, GIF, text, CSV and JSON files are taken',
  keyOf: uploadKey,
  thumbnails: true,
  refusesPolyglots: false,
};

/** Images that a v1 generation is made from. */
export const INPUT_IMAGES: UploadRules = {
  maxBytes: 10 * 1024 ** 2,
  images: new Set(['image/png', 'image/jpeg', 'image/webp']),
  texts: new Set(),
  told: 'PNG, JPEG and WebP images are taken',
  keyOf: inputKey,
  thumbnails: false,
  refusesPolyglots: true,
};

/** Takes files from clients: images that `image_loader` fields and sketches use, and plain data. */
export class AssetUploads {
  constructor(
    readonly database: Database,
    readonly storage: Storage,
    readonly spool: Spool,
    private readonly plans: Plans,
    private readonly limits: { maxBytes: number },
  ) {}

  /** Receives the file into a temporary one; the caller closes the result. Throws `PAYLOAD_TOO_LARGE`. */
  async receive(
    userId: string,
    incoming: IncomingFile,
    signal: AbortSignal,
    rules: UploadRules = ASSETS,
  ): Promise<AssetUpload> {
    const maxBytes = Math.min(rules.maxBytes ?? Infinity, this.limits.maxBytes);
    const received = await this.spool.write(incoming.bytes, { maxBytes, signal });
    return new AssetUpload(this, userId, incoming, received, signal, rules);
  }

  /** Throws `STORAGE_QUOTA_EXCEEDED` unless `bytes` more fit into what the user's plan allows. */
  async assertRoom(db: Queryable, userId: string, bytes: number): Promise<void> {
    const [account] = await db.query<{ plan: string; price_id: string | null; used: string }>(
      `select plan, price_id,
         (select coalesce(sum(size), 0) from flat_file
           where user_id = $1 and shown and deleted_at is null) as used
       from account where user_id = $1`,
      [userId],
    );
    const limit = this.plans.of(account ?? { plan: 'free', price_id: null }).storageBytes;
    const used = Number(account?.used ?? 0);
    if (used + bytes > limit) throw storageQuotaExceeded({ limit, used });
  }
}

/** A stored upload that has no row yet. */
interface PreparedUpload extends MediaType, Dimensions {
  key: string;
  size: number;
  sha256: string;
}

/** One upload: received, then stored, then recorded, then closed. */
export class AssetUpload {
  private prepared?: PreparedUpload;

  constructor(
    private readonly uploads: AssetUploads,
    private readonly userId: string,
    private readonly incoming: Pick<IncomingFile, 'name' | 'mimeType'>,
    private readonly received: SpooledFile,
    private readonly signal: AbortSignal,
    private readonly rules: UploadRules,
  ) {}

  /** What makes two uploads the same request: the bytes as they were sent, and their name. */
  get fingerprint() {
    return { name: this.incoming.name, sha256: this.received.sha256 };
  }

  /**
   * Judges the file by its bytes and stores it. Images are encoded again first, so that what is hashed and
   * kept has neither metadata nor anything hidden. Throws `UNSUPPORTED_MEDIA_TYPE`, `PAYLOAD_TOO_LARGE`,
   * `STORAGE_QUOTA_EXCEEDED`, `SERVICE_UNAVAILABLE` when the storage takes nothing now. Returns its storage key.
   */
  async store(): Promise<string> {
    const { path } = this.received;
    await this.uploads.assertRoom(this.uploads.database, this.userId, 1);
    const type = await detectMediaType(path, this.incoming.mimeType);
    const { images, texts, told, refusesPolyglots } = this.rules;
    if (texts.has(type.mimeType)) return this.put(this.received, type);
    if (!images.has(type.mimeType) || !canReencode(type.mimeType)) throw unsupportedMediaType(told);
    if (refusesPolyglots && (await isPolyglot(path))) throw unsupportedMediaType('The image holds something else, too');
    // What is too large is refused by its header, before anything is decoded.
    await measureImage(path, type.mimeType, MAX_PIXELS);
    return this.uploads.spool.holdMade(
      (to) => reencodeImage(path, type.mimeType, MAX_PIXELS, to),
      { maxBytes: Infinity, signal: this.signal },
      async (image) => this.put(image, await detectMediaType(image.path)),
    );
  }

  /** Makes the upload an asset. The account's lock keeps twins from sharing the last free bytes. */
  async record(tx: Transaction): Promise<AssetRow> {
    if (!this.prepared) throw new Error('An upload is stored before it is recorded');
    const { key, size, sha256, mimeType, extension, width, height } = this.prepared;
    const { thumbnails } = this.rules;
    await tx.query('select 1 from account where user_id = $1 for update', [this.userId]);
    await this.uploads.assertRoom(tx, this.userId, size);
    const [row] = await tx.query<AssetRow>(
      `with f as (
         insert into flat_file
           (user_id, name, storage_key, url, mime_type, size, sha256, width, height, shown, thumbnail_due)
         values ($1, $2, $3, '/files/' || $3, $4, $5, $6, $7, $8, true,
                 case when $9 and ${isPictured('$4')} then now() end) returning *
       ) select ${ASSET_COLUMNS} from f`,
      [this.userId, fileName(this.incoming.name, extension), key, mimeType, size, sha256, width, height, thumbnails],
    );
    return row as AssetRow;
  }

  /** Removes the temporary file, and the stored one unless a row names it. Never throws. */
  async close(): Promise<void> {
    const { database, storage, spool } = this.uploads;
    await spool.discard(this.received).catch(() => undefined);
    if (!this.prepared) return;
    const { key } = this.prepared;
    const recorded = database.query('select 1 from flat_file where storage_key = $1', [key]);
    await recorded.then((rows) => (rows.length > 0 ? undefined : storage.delete(key))).catch(() => undefined);
  }

  private async put({ path, size, sha256 }: SpooledFile, type: MediaType): Promise<string> {
    const dimensions = await measureImage(path, type.mimeType, MAX_PIXELS);
    const key = this.rules.keyOf(this.userId, type.extension);
    this.prepared = { ...type, ...dimensions, key, size, sha256 };
    await this.uploads.storage.put(key, path, { mimeType: type.mimeType, signal: this.signal }).catch(() => {
      throw serviceUnavailable();
    });
    return key;
  }
}
