import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import { hostileFiles, type HostileFile } from '../../test/factories/hostile-files.js';
import { OutboundClient } from './outbound-client.js';
import { RemoteImages } from './remote-images.js';

let server: Server;
let base: string;
let answer: RequestListener;
let images: RemoteImages;
let client: OutboundClient;

beforeEach(async () => {
  server = createServer((...asked) => answer(...asked)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  base = `http://${host}`;
  client = new OutboundClient({ allowedHosts: [host] });
  images = new RemoteImages(client);
});
afterEach(async () => {
  await client.close();
  server.close();
});

const png = () => sharp({ create: { width: 4, height: 3, channels: 3, background: 'red' } }).png().toBuffer();

describe(RemoteImages.name, () => {
  it('judges an image by its bytes, whatever its host says, and digests it', async () => {
    const bytes = await png();
    answer = (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(bytes);
    expect(await images.load(`${base}/a.html`)).toEqual({
      bytes, mimeType: 'image/png', sha256: expect.stringMatching(/^[\da-f]{64}$/),
    });
  });

  it('asks a host once in a while for the same', async () => {
    const bytes = await png();
    let asked = 0;
    answer = (_request, response) => response.end((asked++, bytes));
    await images.load(`${base}/a`);
    await images.load(`${base}/a`);
    await images.load(`${base}/b`);
    expect(asked).toBe(2);
  });

  it.each([
    [404, true], [403, true], [302, true], [204, true], [500, false], [503, false], [429, false],
  ])('takes nothing with the status %i, for good: %s', async (status, permanent) => {
    answer = (_request, response) => response.writeHead(status).end();
    await expect(images.load(base)).rejects.toMatchObject({ name: 'OutboundError', permanent });
  });

  it('takes no bomb and nothing that is no image', async () => {
    const before = process.memoryUsage().rss;
    const isHarmful = ({ name, fate }: HostileFile) =>
      // Browsers go by the screen of a GIF. That an image is cut off is for the sketch to notice.
      name === 'screen.gif' || (fate !== 'drawn anew' && name !== 'cut.png');
    const hostile = hostileFiles().filter(isHarmful);
    for (const { name, bytes } of hostile) {
      answer = (_request, response) => response.end(bytes);
      const reason = await images.load(`${base}/${name}`).then(() => 'taken', (error: { reason: string }) => error.reason);
      expect({ name, reason }).toEqual({ name, reason: 'content' });
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 ** 2);
  });

  it('says at once what is wrong with a URL', () => {
    expect(images.faultOf('https://example.com/a.png')).toBeNull();
    expect(images.faultOf('http://127.0.0.1/')).toBe('The host of the URL has no public address');
    expect(images.faultOf('http://example.com:22/')).toBe('The port 22 is not allowed');
  });
});
