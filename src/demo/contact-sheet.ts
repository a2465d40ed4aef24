import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import sharp, { type OverlayOptions } from 'sharp';

export interface SheetEdition {
  image: Buffer;
  /** Under the picture: its name, then what it is made of. */
  name: string;
  notes: string[];
}

export interface Sheet {
  title: string;
  subtitle: string;
  editions: SheetEdition[];
}

interface Style {
  font: string;
  file: string;
  size: number;
  color: string;
}

/** Pixels. Wide margins and plain paper: the pictures are what is looked at. */
const COLUMNS = 3;
const PICTURE = 640;
const GUTTER = 96;
const MARGIN = 176;
const HEADER = 208;
const CAPTION = 136;
const FRAME = 1;
const PAPER = '#f5f2ec';
const HAIRLINE = '#d9d3c7';

const fonts = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf');
const TITLE: Style = { font: 'DejaVu Serif', file: 'DejaVuSerif.ttf', size: 52, color: '#23211d' };
const SUBTITLE: Style = { font: 'DejaVu Sans', file: 'DejaVuSans.ttf', size: 21, color: '#8b857a' };
const NAME: Style = { font: 'DejaVu Sans Mono', file: 'DejaVuSansMono.ttf', size: 20, color: '#3b3833' };
const NOTE: Style = { font: 'DejaVu Sans', file: 'DejaVuSans.ttf', size: 19, color: '#8b857a' };

/** Lays the editions out on one sheet, as PNG. */
export async function drawContactSheet({ title, subtitle, editions }: Sheet): Promise<Buffer> {
  const width = 2 * MARGIN + COLUMNS * PICTURE + (COLUMNS - 1) * GUTTER;
  const rows = Math.ceil(editions.length / COLUMNS);
  const height = MARGIN + HEADER + rows * (PICTURE + CAPTION) + (rows - 1) * GUTTER + MARGIN - CAPTION / 2;
  const header = [
    { input: await write(title, TITLE, width - 2 * MARGIN), left: MARGIN, top: MARGIN },
    { input: await write(subtitle, SUBTITLE, width - 2 * MARGIN), left: MARGIN, top: MARGIN + 88 },
  ];
  const cells = await Promise.all(editions.map((edition, index) => drawCell(edition, ...placeOf(index))));
  return sharp({ create: { width, height: Math.round(height), channels: 3, background: PAPER } })
    .composite([...header, ...cells.flat()])
    .png()
    .toBuffer();
}

function placeOf(index: number): [left: number, top: number] {
  const column = index % COLUMNS;
  const row = Math.floor(index / COLUMNS);
  return [MARGIN + column * (PICTURE + GUTTER), MARGIN + HEADER + row * (PICTURE + CAPTION + GUTTER)];
}

async function drawCell(edition: SheetEdition, left: number, top: number): Promise<OverlayOptions[]> {
  const { image, name, notes } = edition;
  const cell = [
    { input: await framed(image), left: left - FRAME, top: top - FRAME },
    { input: await write(name, NAME, PICTURE), left, top: top + PICTURE + 28 },
  ];
  if (notes.length === 0) return cell;
  const traits = await write(notes.join('  ·  '), NOTE, PICTURE);
  return [...cell, { input: traits, left, top: top + PICTURE + 64 }];
}

/** With a hairline around it, which holds pictures together that are as pale as the paper. */
function framed(image: Buffer): Promise<Buffer> {
  const box = { width: PICTURE, height: PICTURE, fit: 'contain' as const, background: PAPER };
  const frame = { top: FRAME, bottom: FRAME, left: FRAME, right: FRAME, background: HAIRLINE };
  return sharp(image).resize(box).extend(frame).png().toBuffer();
}

/** Text, wrapped at `width`, with a font of ours: a bare machine has none. */
function write(text: string, { font, file, size, color }: Style, width: number): Promise<Buffer> {
  const markup = `<span foreground="${color}">${escape(text)}</span>`;
  const options = { font: `${font} ${size}`, fontfile: join(fonts, file), dpi: 72, rgba: true, width };
  return sharp({ text: { text: markup, ...options } }).png().toBuffer();
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
