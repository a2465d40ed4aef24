import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { encryptedFor } from '#libs/encryption/sealed-key.js';
import type { Environment } from '#libs/config/environment.js';
import { publicUrlOf } from '#libs/config/public-url.js';
import { variantAt } from './thumbnails.js';

export interface FileUrlSettings {
  masterKey: string;
  /** Where clients reach this server; absent: URLs are paths. */
  publicUrl?: string;
  /** Where a CDN serves public files by their key. */
  cdnBaseUrl?: string;
}

const ROUTE = '/files/';
/**
 * A signed URL ends with the window after the one it is made in, so it lasts one to two hours and all of
 * a window's are equal: clients can cache what they load.
 */
const WINDOW_SECONDS = 3_600;
/** What users send for one generation is for that one: its URLs are shorter. */
const PRIVATE = { prefix: 'private/', seconds: 300 };

/**
 * URLs of files. Rows and recorded events hold paths, `/files/<key>`; what a client gets is made of them
 * at the time of the answer: open for public files, else signed and expiring, so that an `<img>` works.
 */
export class FileUrls {
  private readonly key: Buffer;

  constructor(
    private readonly settings: FileUrlSettings,
    private readonly now: () => number = Date.now,
  ) {
    this.key = Buffer.from(hkdfSync('sha256', settings.masterKey, '', 'platen file urls 1', 32));
  }

  /** The URL behind which everyone finds a public file. What lies encrypted a CDN could not give. */
  open(path: string): string {
    const { cdnBaseUrl, publicUrl = '' } = this.settings;
    const isServedHere = encryptedFor(keyOf(path)) !== null;
    return cdnBaseUrl && !isServedHere ? `${trimmed(cdnBaseUrl)}/${keyOf(path)}` : `${trimmed(publicUrl)}${path}`;
  }

  /** A URL that shows the file to whoever has it, for one to two hours; for 300 seconds if it is a private input. */
  signed(path: string): string {
    const now = Math.floor(this.now() / 1000);
    const seconds = this.lifetimeOf(keyOf(path));
    const expires = seconds < WINDOW_SECONDS ? now + seconds : (Math.floor(now / WINDOW_SECONDS) + 2) * WINDOW_SECONDS;
    const signature = this.signatureOf(keyOf(path), expires).toString('base64url');
    return `${trimmed(this.settings.publicUrl ?? '')}${path}?expires=${expires}&signature=${signature}`;
  }

  /** Seconds that a signed URL of this key lasts at least. */
  lifetimeOf(key: string): number {
    return key.startsWith(PRIVATE.prefix) ? PRIVATE.seconds : WINDOW_SECONDS;
  }

  /** Whether `query` carries a signature of ours for this key that has not expired. */
  verify(key: string, query: { expires?: unknown; signature?: unknown }): boolean {
    const { expires, signature } = query;
    if (typeof expires !== 'string' || typeof signature !== 'string') return false;
    if (!/^\d{1,12}$/.test(expires)) return false;
    const given = Buffer.from(signature, 'base64url');
    const expected = this.signatureOf(key, Number(expires));
    const genuine = given.length === expected.length && timingSafeEqual(given, expected);
    return genuine && Number(expires) * 1000 > this.now();
  }

  private signatureOf(key: string, expires: number): Buffer {
    return createHmac('sha256', this.key).update(`${expires}\n${signedName(key)}`).digest();
  }
}

/** The URLs of this installation. */
export function createFileUrls(
  environment: Pick<Environment, 'PLATEN_MASTER_KEY' | 'PUBLIC_URL' | 'CDN_BASE_URL'>,
): FileUrls {
  const { PLATEN_MASTER_KEY: masterKey, PUBLIC_URL: publicUrl, CDN_BASE_URL: cdnBaseUrl } = environment;
  if (!masterKey) throw new Error('PLATEN_MASTER_KEY must be set');
  return new FileUrls({ masterKey, publicUrl, cdnBaseUrl });
}

/** What outlives the answer that names it is absolute: metadata of tokens, files of an archive. */
export const createAbsoluteFileUrls = (
  environment: Pick<Environment, 'PLATEN_MASTER_KEY' | 'PUBLIC_URL' | 'CDN_BASE_URL' | 'HOST' | 'PORT'>,
): FileUrls => createFileUrls({ ...environment, PUBLIC_URL: publicUrlOf(environment) });

/** All sizes of a thumbnail are one: who was given one URL asks for another size by its name. */
function signedName(key: string): string {
  const found = variantAt(key);
  return found ? `${found.of} thumbnails` : key;
}

const keyOf = (path: string): string => path.slice(ROUTE.length);

const trimmed = (base: string): string => base.replace(/\/+$/, '');
