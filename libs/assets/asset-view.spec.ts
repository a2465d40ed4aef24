import type { AssetRow } from './asset-row.js';
import { presentAsset, recordedAsset, withUrls } from './asset-view.js';
import { FileUrls } from './file-urls.js';

const row: AssetRow = {
  id: '9007199254740993', user_id: 'u', collection_id: null, job_id: 'j', generation_id: 'g', step_id: '12',
  index: 0, name: 'art.png', storage_key: 'generations/a/0-b.png', url: '/files/generations/a/0-b.png',
  thumbnail_url: null, mime_type: 'image/png', size: '2147483648', sha256: 'ab', width: 4, height: 3,
  duration: null, is_public: false,
};
const urls = new FileUrls({ masterKey: 'k'.repeat(32) });

describe('an asset on the wire', () => {
  it('has a decimal id, a number for its size and nothing of its owner or storage', () => {
    expect(recordedAsset(row)).toEqual({
      id: '9007199254740993', url: '/files/generations/a/0-b.png', thumbnail_url: null, name: 'art.png',
      mime_type: 'image/png', size: 2_147_483_648, sha256: 'ab', width: 4, height: 3, duration: null, step_id: '12',
    });
  });

  it('gets a URL that works: open when it is public, else signed', () => {
    expect(presentAsset({ ...row, is_public: true }, urls).url).toBe('/files/generations/a/0-b.png');
    expect(presentAsset(row, urls).url).toMatch(/^\/files\/generations\/a\/0-b\.png\?expires=\d+&signature=/);
  });

  it('gets one anew when a recorded event is read', () => {
    const thumbnail_url = '/files/generations/a/0-b.webp';
    const asset = withUrls({ ...recordedAsset(row), thumbnail_url }, urls);
    for (const url of [asset.url, asset.thumbnail_url]) expect(url).toMatch(/\?expires=\d+&signature=/);
  });
});
