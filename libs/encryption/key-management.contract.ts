import { randomBytes } from 'node:crypto';
import { KeyUnavailable, type KeyManagement } from './key-management.js';

/** What every driver guarantees. `rotated` has another master key, and knows the one of `create` as a former one. */
export function describeKeyManagement(name: string, create: () => KeyManagement, rotated: () => KeyManagement): void {
  describe(`${name} as a key management`, () => {
    const dataKey = randomBytes(32);

    it('gives a key back, under the name of its master key, and shows nothing of it', async () => {
      const keys = create();
      const { masterKey, wrapped } = await keys.wrap(dataKey, 'owner');
      expect(masterKey).toBe(keys.masterKey);
      expect(wrapped.includes(dataKey)).toBe(false);
      expect(await keys.unwrap({ masterKey, wrapped }, 'owner')).toEqual(dataKey);
    });

    it('wraps differently each time', async () => {
      const [one, other] = [await create().wrap(dataKey, 'owner'), await create().wrap(dataKey, 'owner')];
      expect(one.wrapped.equals(other.wrapped)).toBe(false);
    });

    it('gives it to no other owner, and notices a change', async () => {
      const { masterKey, wrapped } = await create().wrap(dataKey, 'owner');
      const changed = Buffer.from(wrapped);
      changed[changed.length >> 1]! ^= 1;
      await expect(create().unwrap({ masterKey, wrapped }, 'other')).rejects.toThrow(KeyUnavailable);
      await expect(create().unwrap({ masterKey, wrapped: changed }, 'owner')).rejects.toThrow(KeyUnavailable);
    });

    it('unwraps after a rotation what was wrapped before, and wraps under the new one', async () => {
      const before = await create().wrap(dataKey, 'owner');
      expect(await rotated().unwrap(before, 'owner')).toEqual(dataKey);
      const after = await rotated().wrap(dataKey, 'owner');
      expect(after.masterKey).not.toBe(before.masterKey);
      await expect(create().unwrap(after, 'owner')).rejects.toThrow(KeyUnavailable);
    });
  });
}
