import { createHash } from 'node:crypto';
import sharp from 'sharp';

type Rgb = readonly [red: number, green: number, blue: number];

/** The light of an hour. */
interface Light {
  zenith: Rgb;
  horizon: Rgb;
  /** Sun or moon. */
  disc: Rgb;
  ground: Rgb;
}

const light = (...colors: [zenith: number, horizon: number, disc: number, ground: number]): Light => {
  const [zenith, horizon, disc, ground] = colors.map((color) => [color >> 16, (color >> 8) & 255, color & 255] as const);
  return { zenith, horizon, disc, ground } as Light;
};

/** At 0, 6, 12, 18 and 24 o'clock; between them it turns from one into the next. */
const DAY = [
  light(0x0b1230, 0x3a4a80, 0xf4f0dc, 0x080c1c),
  light(0x4a6fa5, 0xf7b79b, 0xfff0d2, 0x2c3353),
  light(0x2f86cf, 0xdff0f5, 0xffffff, 0x1d5650),
  light(0x4a2c6d, 0xf98b4e, 0xffdf9e, 0x2a1636),
  light(0x0b1230, 0x3a4a80, 0xf4f0dc, 0x080c1c),
];
const RIDGES = [0, 1, 2, 3, 4].map(ridge);

const known = new Map<string, Promise<Buffer>>();

/** The same hills for every URL, as PNG, at the hour that its query names (`?hour=6.5`), else at one of its own. */
export function pictureOf(url: string, size: number): Promise<Buffer> {
  const digest = createHash('sha256').update(url).digest().readUInt16BE(0);
  const asked = new URL(url, 'http://stand-in').searchParams.get('hour');
  const hour = asked === null ? (digest / 65_536) * 24 : Math.min(Math.max(Number(asked) || 0, 0), 24);
  const key = `${size} ${hour}`;
  const picture = known.get(key) ?? sharp(Buffer.from(hillsAt(hour, size))).png().toBuffer();
  known.set(key, picture);
  return picture;
}

function hillsAt(hour: number, size: number): string {
  const { zenith, horizon, disc, ground } = lightAt(hour);
  const isDay = hour >= 6 && hour <= 18;
  const path = isDay ? (hour - 6) / 12 : ((hour + 6) % 24) / 12;
  const place = `cx="${18 + 64 * path}" cy="${58 - 38 * Math.sin(Math.PI * path)}"`;
  const ridges = RIDGES.map((d, index) => `<path d="${d}" fill="${css(mix(horizon, ground, 0.25 + index * 0.1875))}"/>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" width="${size}" height="${size}">
    <linearGradient id="sky" x2="0" y2="1">${stop(0, zenith)}${stop(0.68, horizon)}</linearGradient>
    <radialGradient id="glow">${stop(0, disc, 0.7)}${stop(0.35, disc, 0.2)}${stop(1, disc, 0)}</radialGradient>
    <rect width="100" height="100" fill="url(#sky)"/><circle ${place} r="${isDay ? 44 : 26}" fill="url(#glow)"/>
    <circle ${place} r="${isDay ? 6 : 4}" fill="${css(disc)}"/>${ridges.join('')}</svg>`;
}

/** The outline of the nth ridge from the back: the nearer, the lower, the longer and the higher its waves. */
function ridge(index: number): string {
  const height = (x: number) =>
    56 + index * 8.5 + (2.5 + index * 0.7) * Math.sin(x / (7 + index * 2.5) + index * 2.1) +
    (1.6 - index * 0.25) * Math.sin(x / 2.7 + index * 4.3);
  const points = Array.from({ length: 51 }, (_, step) => `L${2 * step} ${height(2 * step).toFixed(1)}`);
  return `M0 100${points.join('')}L100 100Z`;
}

function lightAt(hour: number): Light {
  const index = Math.min(Math.floor(hour / 6), DAY.length - 2);
  const [before, after] = DAY.slice(index, index + 2) as [Light, Light];
  const between = (name: keyof Light) => mix(before[name], after[name], hour / 6 - index);
  return { zenith: between('zenith'), horizon: between('horizon'), disc: between('disc'), ground: between('ground') };
}

const mix = (from: Rgb, to: Rgb, part: number): Rgb =>
  from.map((value, channel) => value + ((to[channel] as number) - value) * part) as unknown as Rgb;

const css = (color: Rgb): string => `rgb(${color.map(Math.round).join(',')})`;

const stop = (offset: number, color: Rgb, opacity = 1): string =>
  `<stop offset="${offset}" stop-color="${css(color)}" stop-opacity="${opacity}"/>`;
