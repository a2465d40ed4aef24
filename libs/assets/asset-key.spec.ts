import { isStorageKey } from '#libs/storage/storage-key.js';
import { generatedKey, uploadKey } from './asset-key.js';

const slot = {
  userId: '00000000-0000-4000-8000-000000000001',
  jobId: '00000000-0000-4000-8000-000000000002',
  generationId: '00000000-0000-4000-8000-000000000003',
  stepId: '12345',
  index: 0,
};
const sha256 = 'ab'.repeat(32);

describe(generatedKey, () => {
  it('consists of ids and content', () => {
    expect(generatedKey(slot, sha256, 'png')).toBe(
      `generations/${slot.userId}/${slot.jobId}/${slot.generationId}/12345/0-abababababababab.png`,
    );
  });

  it('is a storage key', () => expect(isStorageKey(generatedKey(slot, sha256, 'png'))).toBe(true));
});

describe(uploadKey, () => {
  it('is a storage key of the user, and never the same twice', () => {
    const key = uploadKey(slot.userId, 'jpg');
    expect(isStorageKey(key)).toBe(true);
    expect(key).toMatch(/^uploads\/00000000-0000-4000-8000-000000000001\/[0-9a-f-]{36}\.jpg$/);
    expect(uploadKey(slot.userId, 'jpg')).not.toBe(key);
  });
});
