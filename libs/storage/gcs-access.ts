import { createHash } from 'node:crypto';
import { GoogleAuth } from 'google-auth-library';

export interface GcsSettings {
  bucket: string;
  /** Another server than Google's, which wants no tokens: `http://fake-gcs:4443`. */
  emulator?: string;
  /** A service account's key, or another file of credentials. Absent: found as all Google programs do. */
  keyFile?: string;
}

const GOOGLE = 'https://storage.googleapis.com';
const SCOPES = ['https://www.googleapis.com/auth/devstorage.read_write'];
const TOKEN_TIMEOUT_MS = 10_000;
const ALGORITHM = 'GOOG4-RSA-SHA256';

/** Where the bucket is, and who asks. */
export class GcsAccess {
  readonly origin: string;
  private readonly auth: GoogleAuth;

  constructor(private readonly settings: GcsSettings) {
    const { emulator, keyFile } = settings;
    this.origin = originOf(emulator) ?? GOOGLE;
    this.auth = new GoogleAuth({
      keyFilename: keyFile,
      scopes: SCOPES,
      clientOptions: { transporterOptions: { timeout: TOKEN_TIMEOUT_MS } },
    });
  }

  /** What proves to the API who asks. */
  async headers(): Promise<Record<string, string>> {
    return this.settings.emulator ? {} : Object.fromEntries(await this.auth.getRequestHeaders(this.origin));
  }

  /**
   * A URL that gives an object to whoever has it (V4, cloud.google.com/storage/docs/access-control/signing-urls-manually);
   * null where nobody is known who could sign.
   */
  async signedUrl(path: string, expiresInSeconds: number, query: Record<string, string>): Promise<string | null> {
    if (this.settings.emulator && !this.settings.keyFile) return null;
    const { client_email: signer } = await this.auth.getCredentials();
    const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
    const scope = `${time.slice(0, 8)}/auto/storage/goog4_request`;
    const { host } = new URL(this.origin);
    const parameters = canonicalQuery({
      ...query,
      'X-Goog-Algorithm': ALGORITHM,
      'X-Goog-Credential': `${signer}/${scope}`,
      'X-Goog-Date': time,
      'X-Goog-Expires': String(expiresInSeconds),
      'X-Goog-SignedHeaders': 'host',
    });
    const canonical = ['GET', path, parameters, `host:${host}\n`, 'host', 'UNSIGNED-PAYLOAD'].join('\n');
    const digest = createHash('sha256').update(canonical).digest('hex');
    const signature = await this.auth.sign([ALGORITHM, time, scope, digest].join('\n'));
    return `${this.origin}${path}?${parameters}&X-Goog-Signature=${Buffer.from(signature, 'base64').toString('hex')}`;
  }
}

/** As Google's libraries read `STORAGE_EMULATOR_HOST`: with or without a protocol. */
const originOf = (emulator: string | undefined): string | undefined =>
  emulator && new URL(/^https?:/.test(emulator) ? emulator : `http://${emulator}`).origin;

const canonicalQuery = (parameters: Record<string, string>): string =>
  Object.entries(parameters)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&');

const encoded = (value: string): string =>
  encodeURIComponent(value).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
