import { crc32, deflateSync, gzipSync } from 'node:zlib';

export interface HostileFile {
  name: string;
  bytes: Buffer;
  /** What becomes of it as an upload: refused as too large or of a wrong type, or drawn anew and kept. */
  fate: 'too large' | 'wrong type' | 'drawn anew';
}

const SCRIPT = '<script>alert(document.domain)</script>';
const SVG = 'xmlns="http://www.w3.org/2000/svg"';

/** Files that decode to far more than they are, or are not what they seem. All made here, a few KB each. */
export const hostileFiles = (): HostileFile[] => [
  ...pixelBombs(),
  ...frameBombs(),
  ...chunkBombs(),
  ...programs(),
  ...polyglots(),
  ...broken(),
];

const all = (fate: HostileFile['fate'], files: Record<string, Buffer | string>): HostileFile[] =>
  Object.entries(files).map(([name, bytes]) => ({ name, bytes: Buffer.from(bytes as string), fate }));

const pixelBombs = () =>
  all('too large', {
    'square.png': png(14_000, 14_000),
    'large.png': png(100_000, 100_000),
    'wide.png': png(60_000_000, 1),
    'tall.png': png(1, 60_000_000),
    'interlaced.png': png(14_000, 14_000, { interlaced: true }),
    'deep.png': png(14_000, 14_000, { depth: 16, colour: 6 }),
    'bomb.jpg': jpeg(65_500, 65_500),
    'wide.jpg': jpeg(65_500, 1_000),
    'lossless.webp': webpLossless(12_000, 12_000),
  });

const frameBombs = () => all('too large', { 'frames.gif': gif(1_000, 1_000, 1_000) });

/** What is around the pixels unpacks to a lot. */
const chunkBombs = () => [
  ...all('drawn anew', {
    'text.png': png(4, 4, { more: [['zTXt', bombText(64)]] }),
    'itxt.png': png(4, 4, { more: [['iTXt', Buffer.concat([Buffer.from('a\0\x01\0\0\0'), bomb(64)])]] }),
    'profile.png': png(4, 4, { more: [['iCCP', bombText(64)]] }),
    'chunks.png': png(4, 4, { more: Array.from({ length: 5_000 }, () => ['tEXt', Buffer.from('a\0b')]) }),
    'pixels.png': png(4, 4, { pixels: bomb(64) }),
  }),
];

const programs = () =>
  all('wrong type', {
    'script.svg': `<svg ${SVG}>${SCRIPT}</svg>`,
    'laughs.svg': `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "${'x'.repeat(50)}">${entities()}]><svg ${SVG}>&j;</svg>`,
    'outside.svg': `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg ${SVG}>&x;</svg>`,
    'wide.svg': `<svg ${SVG} width="1000000" height="1000000"/>`,
    'included.svg': `<svg ${SVG}><image href="http://169.254.169.254/"/></svg>`,
    'called.png': `<svg ${SVG}/>`,
    'packed.svgz': gzipSync(`<svg ${SVG}>${'<g/>'.repeat(100_000)}</svg>`),
    'page.png': `<!doctype html>${SCRIPT}`,
    'frame.html': `<iframe src="javascript:alert(1)"></iframe>`,
    'feed.xml': '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "http://127.0.0.1/">]><r>&x;</r>',
    'archive.zip': zip('a.png', bomb(64)),
    'archive.png': zip('index.html', Buffer.from(SCRIPT)),
    'bytes.gz': gzipSync(Buffer.alloc(8 * 1024 ** 2)),
    'program.png': Buffer.from('7f454c460201010000000000000000000200', 'hex'),
    'program.exe': Buffer.concat([Buffer.from('MZ'), Buffer.alloc(200)]),
    'module.wasm': Buffer.from('0061736d01000000', 'hex'),
    'paper.pdf': '%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj',
    'drawing.eps': '%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) run',
    'magick.mvg': 'push graphic-context\0viewbox 0 0 640 480\nfill \'url(https://127.0.0.1/"|ls")\'',
    'bitmap.bmp': Buffer.concat([Buffer.from('BM'), Buffer.alloc(52, 0xff)]),
    'scan.tif': Buffer.from('49492a0008000000000000000000', 'hex'),
    'film.mp4': Buffer.concat([Buffer.from('0000001c', 'hex'), Buffer.from('ftypisom'), Buffer.alloc(40)]),
  });

/** An image, and something else as well: what is kept is the image alone. */
const polyglots = () =>
  all('drawn anew', {
    'page.png': Buffer.concat([png(4, 4), Buffer.from(SCRIPT)]),
    'php.png': png(4, 4, { more: [['tEXt', Buffer.from('a\0<?php system($_GET[0]); ?>')]] }),
    'screen.gif': gif(65_535, 65_535, 1),
    'zip.png': Buffer.concat([png(4, 4), zip('a.js', Buffer.from('alert(1)'))]),
    'script.gif': Buffer.concat([gif(4, 4, 1), Buffer.from(`/*${SCRIPT}*/=1;`)]),
  });

const broken = () =>
  all('wrong type', {
    'empty.png': png(0, 0),
    'negative.png': png(0xffff_ffff, 0xffff_ffff),
    'cut.png': png(400, 400).subarray(0, 60),
    'script.gif': `GIF89a/*${SCRIPT}*/=1;`,
    'head.jpg': Buffer.from('ffd8ffe000104a464946', 'hex'),
    'cut.webp': Buffer.concat([Buffer.from('RIFF\xff\xff\xff\x7fWEBPVP8 ', 'latin1'), Buffer.alloc(8)]),
    'noise.png': Buffer.concat([png(40, 40).subarray(0, 40), Buffer.alloc(4_000, 0xa5)]),
  });

const bomb = (megabytes: number): Buffer => deflateSync(Buffer.alloc(megabytes * 1024 ** 2), { level: 9 });
const bombText = (megabytes: number): Buffer => Buffer.concat([Buffer.from('a\0\0'), bomb(megabytes)]);

/** `&b;` is ten of `&a;`, and so on up to `&j;`. */
const entities = (): string =>
  [...'bcdefghij'].map((name, i) => `<!ENTITY ${name} "${`&${'abcdefghi'[i]};`.repeat(10)}">`).join('');

interface PngOptions {
  interlaced?: boolean;
  depth?: number;
  colour?: number;
  more?: Array<[type: string, data: Buffer]>;
  pixels?: Buffer;
}

/** A PNG that says to be so large. Its pixels are those of a small one, zeros. */
function png(width: number, height: number, options: PngOptions = {}): Buffer {
  const { interlaced = false, depth = 8, colour = 0, more = [], pixels } = options;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, Number(interlaced)], 8);
  const zeros = deflateSync(Buffer.alloc(Math.min((width + 1) * height, 1_000_000)));
  const chunks = [['IHDR', header], ...more, ['IDAT', pixels ?? zeros], ['IEND', Buffer.alloc(0)]] as const;
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...chunks.map(([type, data]) => chunk(type, data))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A JPEG that ends after its frame header. */
function jpeg(width: number, height: number): Buffer {
  const frame = Buffer.from('ffc0001108ffffffff03012200021101031101', 'hex');
  frame.writeUInt16BE(height, 5);
  frame.writeUInt16BE(width, 7);
  const start = Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex');
  const scan = Buffer.from('ffda000c03010002110311003f00', 'hex');
  return Buffer.concat([start, frame, scan, Buffer.alloc(100), Buffer.from('ffd9', 'hex')]);
}

/** Frames of one pixel on a screen of any size, which decoders may or may not go by. */
function gif(width: number, height: number, frames: number): Buffer {
  const screen = Buffer.from('474946383961ffffffff800000000000ffffff', 'hex');
  screen.writeUInt16LE(width, 6);
  screen.writeUInt16LE(height, 8);
  const frame = Buffer.from('21f90400000000002c0000000001000100000202440100', 'hex');
  return Buffer.concat([screen, ...Array.from({ length: frames }, () => frame), Buffer.from(';')]);
}

function webpLossless(width: number, height: number): Buffer {
  const bits = BigInt(width - 1) | (BigInt(height - 1) << 14n);
  const data = Buffer.concat([Buffer.from([0x2f]), Buffer.from(bits.toString(16).padStart(8, '0'), 'hex').reverse(), Buffer.alloc(15)]);
  const sizes = Buffer.alloc(8);
  sizes.writeUInt32LE(data.length + 12, 0);
  sizes.writeUInt32LE(data.length, 4);
  return Buffer.concat([Buffer.from('RIFF'), sizes.subarray(0, 4), Buffer.from('WEBPVP8L'), sizes.subarray(4), data]);
}

/** An archive of one file, stored. */
function zip(name: string, data: Buffer): Buffer {
  const local = Buffer.alloc(30);
  local.write('PK\x03\x04', 'latin1');
  local.writeUInt32LE(crc32(data), 14);
  local.writeUInt32LE(data.length, 18);
  local.writeUInt32LE(data.length, 22);
  local.writeUInt16LE(name.length, 26);
  return Buffer.concat([local, Buffer.from(name), data, Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(18)]);
}
