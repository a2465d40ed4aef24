// A service outside Platen: takes the jobs of `direct_job` workflows that ask for `echo`, from BullMQ's queue
// `direct.echo`, and returns their text and a picture of it.
//
//   REDIS_URL=redis://127.0.0.1:6379 node examples/workers/echo-worker.mjs
//   DATABASE_URL=postgres://…        node examples/workers/echo-worker.mjs     (where Platen has no Redis)
import { createHash } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';
import { createPostgresBackend, withBackend, Worker } from 'bullmq';
import pg from 'pg';

async function echo(job) {
  const { text = '', size = 256 } = job.data.payload;
  const rows = [];
  for (let y = 0; y < size; y++) {
    rows.push(row(String(text), y, size));
    // Percent. Whoever watches the edition sees it; nothing depends on it.
    if (y % 64 === 0) await job.updateProgress(Math.round((y / size) * 100));
  }
  return { text, image: png(rows, size).toString('base64') };
}

/** Stripes in the colours of the text's digest. */
function row(text, y, size) {
  const colours = createHash('sha256').update(text).digest();
  const pixels = Array.from({ length: size }, (_, x) => {
    const stripe = Math.floor(((x + y) / size) * 5) % 10;
    return [colours[stripe * 3], colours[stripe * 3 + 1], colours[stripe * 3 + 2]];
  });
  return Buffer.from([0, ...pixels.flat()]);
}

function png(rows, size) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 2], 8); // 8 bits of red, green and blue
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.concat(rows))), chunk('IEND', Buffer.alloc(0))]);
}

const { REDIS_URL, DATABASE_URL } = process.env;
const pool = () => new pg.Pool({ connectionString: DATABASE_URL, options: '-c search_path=bullmq' });
const worker = REDIS_URL
  ? new Worker('direct.echo', echo, { connection: { url: REDIS_URL } })
  : new (withBackend(createPostgresBackend).Worker)('direct.echo', echo, { connection: pool() });
worker.on('error', (error) => console.error(error.message));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => worker.close().then(() => process.exit()));
console.log('Waiting for jobs of direct.echo');
