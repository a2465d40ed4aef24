import { decrypt, derivedKey, encrypt } from './aes-gcm.js';
import { KeyManagement, KeyUnavailable, type WrappedKey } from './key-management.js';

/** Characters that name a master key, without telling anything of it. */
const NAME_LENGTH = 16;

/** Master keys from the configuration: the newest wraps, all of them unwrap. */
export class LocalKeyManagement extends KeyManagement {
  readonly masterKey: string;
  private readonly keys: Map<string, Buffer>;

  /** The newest first, one at least. */
  constructor(masterKeys: readonly string[]) {
    super();
    this.keys = new Map(masterKeys.map((key) => [nameOf(key), derivedKey(key, 'data keys')]));
    this.masterKey = nameOf(masterKeys[0] as string);
  }

  async wrap(dataKey: Buffer, owner: string): Promise<WrappedKey> {
    return { masterKey: this.masterKey, wrapped: encrypt(this.keyNamed(this.masterKey), dataKey, owner) };
  }

  async unwrap({ masterKey, wrapped }: WrappedKey, owner: string): Promise<Buffer> {
    const key = this.keyNamed(masterKey);
    try {
      return decrypt(key, wrapped, owner);
    } catch {
      throw new KeyUnavailable(`The data key of ${owner} is not what was wrapped for it`);
    }
  }

  private keyNamed(name: string): Buffer {
    const key = this.keys.get(name);
    if (!key) throw new KeyUnavailable(`The master key ${name} is none of those that are configured`);
    return key;
  }
}

const nameOf = (masterKey: string): string =>
  `local:${derivedKey(masterKey, 'master key name').toString('hex').slice(0, NAME_LENGTH)}`;
