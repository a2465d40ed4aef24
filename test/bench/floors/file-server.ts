import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { given, serveBench } from '../child.js';

/* What taking and giving a file costs with nothing but Node: hashed on its way to the disk, read from it. */
const PATH = join(given('FOLDER'), 'file');

const server = createServer((request, response) => {
  const served = request.method === 'POST' ? store(request) : Promise.resolve({});
  served.then(
    (answer) => {
      if (request.method === 'POST') response.writeHead(201).end(JSON.stringify({ success: true, data: { url: '/file', ...answer } }));
      else void pipeline(createReadStream(PATH), response.writeHead(200)).catch(() => undefined);
    },
    () => response.destroy(),
  );
});

async function store(request: NodeJS.ReadableStream): Promise<object> {
  const hash = createHash('sha256');
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(request, meter, createWriteStream(PATH));
  return { sha256: hash.digest('hex') };
}

server.listen(0, '127.0.0.1', () => {
  serveBench(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
