import { unauthenticated } from '#libs/errors/errors.js';
import type { AccessTokens } from './access-tokens.js';
import type { Accounts } from './accounts.js';
import { API_KEY_PREFIX, type ApiKeys } from './api-keys.js';
import type { Caller } from './caller.js';

/** Who is behind an `Authorization` header. */
export class Identity {
  constructor(
    private readonly tokens: AccessTokens,
    private readonly apiKeys: ApiKeys,
    private readonly accounts: Accounts,
  ) {}

  /**
   * The caller of `Bearer <token or API key>`; `undefined` without a header. The caller's account exists
   * afterwards. Throws `UNAUTHENTICATED`.
   */
  async identify(authorization: string | undefined): Promise<Caller | undefined> {
    if (authorization === undefined) return undefined;
    const [, credential] = /^Bearer +([^\s]+) *$/i.exec(authorization) ?? [];
    if (credential === undefined) throw unauthenticated('Authorization must be "Bearer <token>"');
    return this.verify(credential);
  }

  /** As `identify`, and takes HTTP Basic too: its password is the token or key (browsers on admin pages). */
  async identifyBrowser(authorization: string | undefined): Promise<Caller | undefined> {
    const [, encoded] = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization ?? '') ?? [];
    if (encoded === undefined) return this.identify(authorization);
    const credentials = Buffer.from(encoded, 'base64').toString();
    return this.verify(credentials.slice(credentials.indexOf(':') + 1));
  }

  private async verify(credential: string): Promise<Caller> {
    const isApiKey = credential.startsWith(API_KEY_PREFIX);
    const caller = await (isApiKey ? this.apiKeys : this.tokens).verify(credential);
    await this.accounts.planOf(caller.userId);
    return caller;
  }
}
