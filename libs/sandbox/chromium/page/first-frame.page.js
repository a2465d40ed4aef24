'use strict';
/**
 * The first frame of the video behind `/bytes`, as base64 of a PNG. Throws what is wrong with the video as an error
 * whose message begins with `video: `.
 */
globalThis.firstFrame = async ({ size, maxSide }) => {
  const { ALL_FORMATS, CanvasSink, CustomSource, Input } = globalThis.Mediabunny;
  const read = async (start, end) => {
    const answer = await fetch(`/bytes?start=${start}&end=${end}`);
    if (!answer.ok) throw new Error('The video could not be read');
    return new Uint8Array(await answer.arrayBuffer());
  };
  const source = new CustomSource({ getSize: () => size, read, prefetchProfile: 'network', maxCacheSize: 2 ** 25 });
  const input = new Input({ formats: ALL_FORMATS, source });
  if (!(await input.canRead())) throw new Error('video: it is of no known format');
  const track = await input.getPrimaryVideoTrack();
  if (!track) throw new Error('video: it has no pictures');
  if (!(await track.canDecode())) throw new Error(`video: its codec (${await track.getCodec()}) cannot be decoded`);
  const [width, height] = [await track.getDisplayWidth(), await track.getDisplayHeight()];
  const scale = Math.min(1, maxSide / Math.max(width, height));
  const side = (length) => Math.max(1, Math.round(length * scale));
  const sink = new CanvasSink(track, { width: side(width), height: side(height), fit: 'fill' });
  for await (const { canvas } of sink.canvases()) return base64Of(await pngOf(canvas));
  throw new Error('video: it has no pictures');
};

const pngOf = (canvas) =>
  canvas.convertToBlob
    ? canvas.convertToBlob({ type: 'image/png' })
    : new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));

const base64Of = (blob) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(',')[1]);
    reader.onerror = () => reject(new Error('The frame could not be read'));
    reader.readAsDataURL(blob);
  });
