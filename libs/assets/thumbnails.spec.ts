import { encryptedFor, sealedKey } from '#libs/encryption/sealed-key.js';
import { isStorageKey } from '#libs/storage/storage-key.js';
import { renderIn, renderKey } from './asset-key.js';
import { variantAt, variantKey, variantKeys } from './thumbnails.js';

const KEY = 'generations/u/j/g/1/0-0123456789abcdef.png';

describe(variantKey.name, () => {
  it('lies beside the asset, and tells which', () => {
    expect(variantKeys(KEY)).toEqual([`${KEY}.256.webp`, `${KEY}.512.webp`, `${KEY}.1024.webp`, `${KEY}.poster.jpg`]);
    expect(variantKeys(KEY).every(isStorageKey)).toBe(true);
    expect(variantKeys(KEY).map(variantAt)).toEqual(
      ['256', '512', '1024', 'poster'].map((variant) => ({ of: KEY, variant })));
    expect([KEY, `${KEY}.2048.webp`, `${KEY}.poster.webp`, '.512.webp'].map(variantAt)).toEqual([null, null, null, null]);
  });

  it('is encrypted, and open, as the asset is', () => {
    const collection = '0f8fad5b-d9cb-469f-a165-70867728950e';
    expect(encryptedFor(variantKey(sealedKey(collection, KEY), '512'))).toBe(collection);
    const render = renderKey('0f8fad5b-d9cb-469f-a165-70867728950e', 0);
    expect(renderIn(variantKey(render, '512'))).toBe(renderIn(render));
  });
});
