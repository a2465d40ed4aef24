// @ts-check
// The process that thumbnails are drawn in: what a stranger's file does to its decoder, it does here, and on time that
// nobody else wants.
import { readdirSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

/**
 * @typedef {import('./thumbnail-process.js').DrawingOrder} DrawingOrder
 * @typedef {import('./thumbnail-process.js').Drawing} Drawing
 * @typedef {import('sharp').Sharp} Sharp
 */

giveWay();
const { default: sharp } = await import('sharp');
sharp.cache(false);
sharp.concurrency(1);

process.on('disconnect', () => process.exit());
// Ctrl-C reaches the whole process group; when to stop is the parent's decision.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('message', async (/** @type {DrawingOrder} */ order) => {
  process.send?.(await draw(order).catch((error) => ({ fault: String(error?.message ?? error) })));
});
// The parent may have died while this file was being loaded: nobody tells of that any more.
if (!process.connected) process.exit();

/** On Linux a thread has its own priority and hands it on to those that it starts. */
function giveWay() {
  const lowest = constants.priority.PRIORITY_LOW;
  try {
    for (const thread of readdirSync('/proc/self/task')) setPriority(Number(thread), lowest);
  } catch {
    setPriority(lowest);
  }
}

/**
 * Each picture from the one before it, so that the file is decoded once.
 *
 * @param {DrawingOrder} order
 * @returns {Promise<{ drawings: Drawing[] }>}
 */
async function draw({ source, maxPixels, poster, thumbnails }) {
  /** @type {Drawing[]} */
  const drawings = [];
  // Of an animation this is the first frame; turned upright, and in sRGB, as everything that sharp writes.
  let picture = sharp(source, { limitInputPixels: maxPixels, failOn: 'error', sequentialRead: true }).autoOrient();
  if (poster) drawings.push(await written(picture.clone().jpeg({ quality: 90, chromaSubsampling: '4:4:4' }), poster));
  for (const { side, path } of thumbnails.toSorted((one, other) => other.side - one.side)) {
    const fitting = picture.resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true });
    const { data, info } = await fitting.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    picture = sharp(data, { raw: { width, height, channels } });
    drawings.push(await written(picture.clone().webp({ quality: 82, effort: 3, smartSubsample: true }), path));
  }
  return { drawings };
}

/**
 * @param {Sharp} picture
 * @param {string} path
 * @returns {Promise<Drawing>}
 */
async function written(picture, path) {
  const { width, height } = await picture.toFile(path);
  return { path, width, height };
}
