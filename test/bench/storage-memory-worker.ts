import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { v7 as uuid } from 'uuid';
import { AssetFiles } from '#libs/assets/asset-files.js';
import { Spool } from '#libs/assets/spool.js';
import { loadEnvironment } from '#libs/config/environment.js';
import { AssetHandle } from '#libs/nodes/node.js';
import { createStorage } from '#libs/storage/index.js';
import { given, serveBench } from './child.js';
import { blocksOf } from './storage-blocks.js';

export interface WorkerRequest {
  do: 'store' | 'read';
  bytes: number;
}

/** What a worker does with the files of steps, without the steps. */
const environment = loadEnvironment(process.env);
const storage = await createStorage(environment);
const files = new AssetFiles(storage, new Spool(join(given('PLATEN_HOME'), 'spool')), { maxBytes: Infinity });
const signal = new AbortController().signal;
let stored: AssetHandle | undefined;

async function store(bytes: number): Promise<void> {
  const slot = { userId: uuid(), jobId: uuid(), generationId: uuid(), stepId: '1', index: 0 };
  const produced = { name: 'large.bin', bytes: Readable.from(blocksOf(bytes)) };
  const { storage_key: storageKey, mime_type: mimeType, ...file } = await files.store(slot, produced, signal);
  const { name, size, sha256 } = file;
  stored = new AssetHandle({ id: '1', storageKey, mimeType, name, size, sha256 });
}

async function read(): Promise<void> {
  if (!stored) throw new Error('Nothing is stored');
  const digest = createHash('sha256');
  for await (const chunk of await files.open(stored)) digest.update(chunk as Buffer);
  if (digest.digest('hex') !== stored.sha256) throw new Error('What was read is not what was stored');
}

serveBench('storage', (request: WorkerRequest) => (request.do === 'store' ? store(request.bytes) : read()));
