import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlobReader, TextWriter, Uint8ArrayWriter, ZipReader, type FileEntry } from '@zip.js/zip.js';
import type { Trait } from '#libs/nodes/node.js';
import { createAsset, createCollection } from '../../../test/factories/asset.js';
import { finishEditions } from '../../../test/factories/edition.js';
import { startTestApi, type FirstTestApi, type TestApi } from '../../../test/setup/api.js';
import {
  erc721Faults, erc7572Faults, isErc1155FileName, tzip21Faults,
} from '../../../test/standards/token-standards.js';
import { MetadataController } from './metadata.controller.js';
import type { TokenAnswer } from './metadata.dto.js';

const PUBLIC_URL = 'https://art.example';
const TRAITS: Trait[][] = [
  [{ trait_type: 'Palette', value: 'Ink' }, { trait_type: 'Grain', value: 3 }],
  [{ trait_type: 'Palette', value: 'Ink' }],
  [{ trait_type: 'Palette', value: 'Ochre' }, { trait_type: 'Grain', value: 3 }],
];

const digest = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe(MetadataController.name, () => {
  let api: FirstTestApi;
  const userId = randomUUID();

  beforeAll(async () => {
    api = await startTestApi({ PUBLIC_URL });
  });
  afterAll(() => api.close());

  /** A file of a generation, in storage. */
  const createFile = async (
    collectionId: string,
    generationId: string,
    { bytes, extension = 'png', mimeType = 'image/png', index = 0 }:
      { bytes: Uint8Array; extension?: string; mimeType?: string; index?: number },
  ) => {
    const storageKey = `generated/${generationId}/${index}.${extension}`;
    const plan = { userId, collectionId, storageKey, mimeType, size: bytes.length, sha256: digest(bytes) };
    const { id } = await createAsset(api.database, plan);
    await api.database.query('update flat_file set generation_id = $2, step_id = 1, index = $3 where id = $1', [
      id, generationId, index,
    ]);
    const path = join(api.home, 'storage', storageKey);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
    return path;
  };

  /** With as many finished editions, an image each. */
  const create = async ({ status = 'published', chain = 'ETHEREUM', traits = TRAITS, size = 100 }:
    { status?: 'draft' | 'published'; chain?: string; traits?: Trait[][]; size?: number } = {}) => {
    const id = await createCollection(api.database, userId, { status });
    await api.database.query('update collection set title = $2, blockchain = $3 where id = $1', [id, 'Dunes', chain]);
    const generationIds = await finishEditions(api.database, { userId, collectionId: id, traits });
    const images = generationIds.map(() => randomBytes(size));
    const paths: string[] = [];
    for (const [i, generationId] of generationIds.entries()) {
      paths.push(await createFile(id, generationId, { bytes: images[i]! }));
    }
    return { id, generationIds, images, paths };
  };

  const get = async (path: string, headers: Record<string, string> = {}, { url }: TestApi = api) => {
    const response = await fetch(`${url}${path}`, { headers });
    return { status: response.status, ...((await response.json()) as { data: never; code?: string }) };
  };
  const tokens = async (id: string, query = '') =>
    (await get(`/collections/${id}/metadata${query}`)).data as { items: TokenAnswer[]; next_cursor: string | null };

  /** Another tool's view of the zip, with its checksums verified. */
  const unzip = async (id: string, query = '', { url }: TestApi = api) => {
    const response = await fetch(`${url}/collections/${id}/metadata?format=zip${query}`, { headers: api.as(userId) });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/zip']);
    const reader = new ZipReader(new BlobReader(await response.blob()), { checkSignature: true });
    const entries = (await reader.getEntries()) as FileEntry[];
    return new Map(entries.map((entry) => [entry.filename, entry]));
  };
  type Folder = Awaited<ReturnType<typeof unzip>>;
  const textOf = (folder: Folder, name: string) => folder.get(name)!.getData(new TextWriter());
  const jsonOf = async (folder: Folder, name: string) => JSON.parse(await textOf(folder, name)) as Record<string, unknown>;

  /** Files of the storage that this process reads. */
  const openFiles = async () => {
    const names = await readdir('/proc/self/fd');
    const paths = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
    return paths.filter((path) => path.startsWith(join(api.home, 'storage'))).length;
  };

  describe('metadata', () => {
    it('are those of ERC-721 for Ethereum, with each trait counted and ranked', async () => {
      const { id, generationIds } = await create();
      const { items, next_cursor } = await tokens(id);
      expect(next_cursor).toBeNull();
      expect(items.flatMap(({ metadata }) => erc721Faults(metadata))).toEqual([]);
      expect(items[1]).toMatchObject({
        token_id: '2', file_name: '2.json', generation_id: generationIds[1],
        rarity: { rank: 1, of: 3 },
        traits: [{ trait_type: 'Palette', value: 'Ink', count: 2, share: 2 / 3 }],
        metadata: { name: 'Dunes #2', image: `${PUBLIC_URL}/files/generated/${generationIds[1]}/0.png` },
      });
    });

    it('are those of TZIP-21 for Tezos, and others when asked for', async () => {
      const { id } = await create({ chain: 'TEZOS' });
      expect((await tokens(id)).items.flatMap(({ metadata }) => tzip21Faults(metadata))).toEqual([]);
      const { items } = await tokens(id, '?standard=erc1155&images_uri=ipfs://cid/');
      expect(items.flatMap(({ metadata }) => erc721Faults(metadata))).toEqual([]);
      expect(items.every(({ file_name }) => isErc1155FileName(file_name))).toBe(true);
      expect(items[2]!.metadata).toMatchObject({ image: 'ipfs://cid/3.png' });
    });

    it('come in pages', async () => {
      const { id } = await create();
      const first = await tokens(id, '?limit=2');
      const rest = await tokens(id, `?limit=2&cursor=${first.next_cursor}`);
      expect([...first.items, ...rest.items].map(({ token_id }) => token_id)).toEqual(['1', '2', '3']);
      expect(rest.next_cursor).toBeNull();
    });

    it('name a video beside its image', async () => {
      const { id, generationIds } = await create();
      await createFile(id, generationIds[0]!, {
        bytes: randomBytes(10), extension: 'mp4', mimeType: 'video/mp4', index: 1,
      });
      const [token] = (await tokens(id, '?images_uri=ar://tx')).items;
      expect(token!.metadata).toMatchObject({ image: 'ar://tx/1.png', animation_url: 'ar://tx/1.mp4' });
    });

    it('of a draft, and its contract’s, are for its owner', async () => {
      const { id } = await create({ status: 'draft' });
      for (const path of ['metadata', 'metadata?format=zip', 'contract-metadata']) {
        const url = `/collections/${id}/${path}`;
        for (const headers of [{}, api.as(randomUUID()), api.as(randomUUID(), 'admin')]) {
          expect(await get(url, headers)).toMatchObject({ status: 404, code: 'COLLECTION_NOT_FOUND' });
        }
        expect((await fetch(`${api.url}${url}`, { headers: api.as(userId) })).status).toBe(200);
      }
      const { items } = (await get(`/collections/${id}/metadata`, api.as(userId))).data as { items: TokenAnswer[] };
      expect((items[0]!.metadata as { image: string }).image).toContain('signature=');
    });

    it('of the contract are those of ERC-7572', async () => {
      const { id, generationIds } = await create();
      const { data } = await get(`/collections/${id}/contract-metadata`);
      expect(erc7572Faults(data)).toEqual([]);
      expect(data).toMatchObject({ name: 'Dunes', image: `${PUBLIC_URL}/files/generated/${generationIds[0]}/0.png` });
    });
  });

  describe('the zip', () => {
    it.each([
      ['ETHEREUM', '', erc721Faults], ['TEZOS', '', tzip21Faults], ['BASE', '&standard=erc1155', erc721Faults],
    ] as const)('is whole and as the standards say: %s%s', async (chain, query, faultsOf) => {
      const { id, images } = await create({ chain });
      const folder = await unzip(id, `&images_uri=ipfs://cid${query}`);
      const numbers = [1, 2, 3].map((n) => (query ? n.toString(16).padStart(64, '0') : String(n)));
      expect([...folder.keys()].sort()).toEqual(
        [...numbers.map((n) => `${n}.json`), 'images/1.png', 'images/2.png', 'images/3.png', 'contract.json',
          'SHA256SUMS', 'provenance.json'].sort(),
      );
      for (const [i, n] of numbers.entries()) {
        const metadata = await jsonOf(folder, `${n}.json`);
        expect(faultsOf(metadata)).toEqual([]);
        expect(metadata['image'] ?? metadata['artifactUri']).toBe(`ipfs://cid/${i + 1}.png`);
        const bytes = await folder.get(`images/${i + 1}.png`)!.getData(new Uint8ArrayWriter());
        expect(digest(bytes)).toBe(digest(images[i]!));
      }
      expect(erc7572Faults(await jsonOf(folder, 'contract.json'))).toEqual([]);
    });

    it('proves which images there are, and in which order', async () => {
      const { id, images } = await create();
      const folder = await unzip(id);
      const digests = images.map(digest);
      expect(await textOf(folder, 'SHA256SUMS')).toBe(digests.map((sum, i) => `${sum}  images/${i + 1}.png\n`).join(''));
      expect(await jsonOf(folder, 'provenance.json')).toEqual({
        provenance_hash: digest(digests.join('')), algorithm: 'sha256', editions: 3,
      });
    });

    it('names the addresses that last, also of a draft', async () => {
      const { id, generationIds } = await create({ status: 'draft' });
      expect((await jsonOf(await unzip(id), '1.json'))['image']).toBe(
        `${PUBLIC_URL}/files/generated/${generationIds[0]}/0.png`,
      );
    });

    it('and all metadata are as the standards say without a PUBLIC_URL, too', async () => {
      const local = await api.another({ PUBLIC_URL: '', CDN_BASE_URL: '' });
      try {
        for (const [chain, faultsOf] of [['ETHEREUM', erc721Faults], ['TEZOS', tzip21Faults]] as const) {
          const { id } = await create({ chain });
          const { data } = await get(`/collections/${id}/metadata`, {}, local);
          expect((data as { items: TokenAnswer[] }).items.flatMap(({ metadata }) => faultsOf(metadata))).toEqual([]);
          expect(erc7572Faults((await get(`/collections/${id}/contract-metadata`, {}, local)).data)).toEqual([]);
          const folder = await unzip(id, '', local);
          expect(faultsOf(await jsonOf(folder, '1.json'))).toEqual([]);
          expect(erc7572Faults(await jsonOf(folder, 'contract.json'))).toEqual([]);
        }
      } finally {
        await local.close();
      }
    });

    it('of nothing has no tokens', async () => {
      const { id } = await create({ traits: [] });
      expect([...(await unzip(id)).keys()]).toEqual(['contract.json', 'SHA256SUMS', 'provenance.json']);
    });

    it('is not made for HEAD', async () => {
      const { id } = await create();
      const response = await fetch(`${api.url}/collections/${id}/metadata?format=zip`, { method: 'HEAD' });
      expect([response.status, await response.text()]).toEqual([200, '']);
    });

    it('breaks off, and never ends well, when a file is gone', async () => {
      const { id, paths } = await create();
      await rm(paths[2]!);
      const response = await fetch(`${api.url}/collections/${id}/metadata?format=zip`);
      await expect(response.arrayBuffer()).rejects.toThrow();
      expect((await get('/health/live')).status).toBe(200);
    });

    it('stays small in memory, and ends when its reader leaves', async () => {
      const bare = Array.from({ length: 12 }, (): Trait[] => []);
      const { id } = await create({ traits: bare, size: 16 * 1024 ** 2 });
      const before = process.memoryUsage().rss;
      const request = httpGet(`${api.url}/collections/${id}/metadata?format=zip`, { agent: false });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      // One chunk, then nothing: what is not read is not made either.
      await once(response, 'readable');
      await sleep(1_000);
      expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 ** 2);
      expect(await openFiles()).toBe(1);
      response.destroy();
      for (let i = 0; i < 100 && (await openFiles()) > 0; i++) await sleep(50);
      expect(await openFiles()).toBe(0);
    });
  });
});
