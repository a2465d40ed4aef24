/*
 * Afterglow. Ridges before a low sun, cut like a woodblock: every frame prints one more ridge, and the last
 * one calls for the picture. No library; everything is drawn from fxrand(), as on fxhash.
 */

const PALETTES = {
  Vermilion: {
    sky: ['#f6d9a8', '#ef9a62', '#c7503f'],
    sun: '#fbf0d4',
    near: '#1d1a26',
    far: '#d9705a',
    line: '#fbe3bd',
  },
  Indigo: {
    sky: ['#f2e6cf', '#9fb8c4', '#3d5a80'],
    sun: '#f4a259',
    near: '#101a2e',
    far: '#7f9cb3',
    line: '#e9efe6',
  },
  Moss: {
    sky: ['#f4ecc8', '#cdd09a', '#7d9a78'],
    sun: '#e4572e',
    near: '#16241d',
    far: '#a3b58a',
    line: '#f1efcf',
  },
  Plum: {
    sky: ['#f9dcc4', '#e59f9b', '#7c5577'],
    sun: '#fff1d6',
    near: '#1f1530',
    far: '#b8738c',
    line: '#fbdcc9',
  },
  Snow: {
    sky: ['#f7f1ea', '#dfe3e4', '#9fb4c0'],
    sun: '#d1495b',
    near: '#16242f',
    far: '#a9c0cb',
    line: '#fbfaf6',
  },
  Night: {
    sky: ['#5b6f96', '#26365d', '#0b1226'],
    sun: '#f5ecd0',
    near: '#05070f',
    far: '#3a4f7a',
    line: '#a9bfdc',
  },
};

const rand = (low, high) => low + fxrand() * (high - low);
const pick = (list) => list[Math.floor(fxrand() * list.length)];

const paletteName = pick(Object.keys(PALETTES));
const palette = PALETTES[paletteName];
const ridges = Math.floor(rand(6, 11));
const terrain = pick(['Dunes', 'Dunes', 'Alps', 'Alps', 'Mesas']);
const sunSize = rand(0.07, 0.17);
const hasWater = fxrand() < 0.45;
const light = pick([-1, 1]);
const glow = pick(['Rays', 'Rays', 'Rings', 'Grain']);

$fx.features({
  Palette: paletteName,
  Terrain: terrain,
  Ridges: ridges,
  Water: hasWater,
  Sun: sunSize > 0.13 ? 'Great' : 'Small',
  Glow: glow,
});

const canvas = document.body.appendChild(document.createElement('canvas'));
const size = { width: window.innerWidth, height: window.innerHeight };
canvas.width = size.width * devicePixelRatio;
canvas.height = size.height * devicePixelRatio;
canvas.style.width = `${size.width}px`;
const pen = canvas.getContext('2d');
const unit = Math.min(size.width, size.height) / 1000;
pen.scale(devicePixelRatio * unit, devicePixelRatio * unit);
const width = size.width / unit;
const height = size.height / unit;

/** Smooth noise in one and two dimensions, from a table of the hash's numbers. */
const table = Array.from({ length: 4096 }, () => fxrand());
function noise(x, y = 0) {
  const [xi, yi] = [Math.floor(x), Math.floor(y)];
  const fade = (t) => t * t * (3 - 2 * t);
  const [u, v] = [fade(x - xi), fade(y - yi)];
  const at = (i, j) => table[((i * 73856093) ^ (j * 19349663)) & 4095];
  const mix = (a, b, t) => a + (b - a) * t;
  return mix(mix(at(xi, yi), at(xi + 1, yi), u), mix(at(xi, yi + 1), at(xi + 1, yi + 1), u), v);
}
function layers(x, y, count, roughness) {
  let sum = 0;
  let reach = 0;
  for (let i = 0, strength = 1; i < count; i++, strength *= roughness) {
    sum += noise(x * 2 ** i + i * 17.3, y + i * 5.1) * strength;
    reach += strength;
  }
  return sum / reach;
}

const SHAPES = {
  Dunes: (x, layer) => layers(x * 0.0024, layer * 9, 3, 0.32),
  Alps: (x, layer) => {
    const fold = 1 - Math.abs(layers(x * 0.003, layer * 9, 2, 0.5) * 2 - 1);
    return fold * 0.72 + layers(x * 0.012, layer * 13, 4, 0.55) * 0.3;
  },
  Mesas: (x, layer) => {
    const ground = layers(x * 0.0028, layer * 9, 3, 0.4);
    const step = Math.floor(ground * 6) / 6;
    const rise = Math.min(1, Math.max(0, ((ground * 6) % 1) * 5));
    return step + rise / 6 + layers(x * 0.03, layer, 2, 0.5) * 0.03;
  },
};

/** Channels of `#rrggbb` or `rgb(r,g,b)`. */
const channels = (color) =>
  color.startsWith('#')
    ? [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16))
    : color.match(/\d+/g).map(Number);

function blend(from, to, t) {
  const [a, b] = [channels(from), channels(to)];
  return `rgb(${a.map((value, index) => Math.round(value + (b[index] - value) * t)).join(',')})`;
}

/** A ridge's ink, and that ink lost in the haze at its foot. */
const inkOf = (depth) => blend(palette.far, palette.near, depth ** 0.85);
const haze = blend(palette.sky[0], palette.sky[1], 0.35);
const hazeOf = (depth) => blend(inkOf(depth), haze, 0.7 * (1 - depth) ** 0.8);

const FRAME = 58;
const horizon = height * rand(0.4, 0.5);
const sun = { x: width * rand(0.28, 0.72), y: horizon - height * rand(0.02, 0.13), radius: 1000 * sunSize };
const bottom = height - FRAME;

function printSky() {
  pen.fillStyle = '#f3ecdf';
  pen.fillRect(0, 0, width, height);
  pen.save();
  pen.beginPath();
  pen.rect(FRAME, FRAME, width - 2 * FRAME, height - 2 * FRAME);
  pen.clip();
  const bokashi = pen.createLinearGradient(0, FRAME, 0, horizon + 120);
  bokashi.addColorStop(0, palette.sky[2]);
  bokashi.addColorStop(0.5, palette.sky[1]);
  bokashi.addColorStop(1, palette.sky[0]);
  pen.fillStyle = bokashi;
  pen.fillRect(0, 0, width, height);
  if (paletteName === 'Night') printStars();
  printSun();
  printClouds();
}

function printStars() {
  pen.fillStyle = '#f5ecd0';
  for (let i = 0; i < 260; i++) {
    const depth = fxrand() ** 2;
    pen.globalAlpha = rand(0.3, 0.95);
    pen.beginPath();
    pen.arc(rand(0, width), FRAME + depth * (horizon - FRAME), rand(0.5, 1.9), 0, Math.PI * 2);
    pen.fill();
  }
  pen.globalAlpha = 1;
}

const GLOWS = {
  Rings() {
    for (let ring = 6; ring > 0; ring--) disc(sun.radius * (1 + ring * 0.26), 0.075);
  },
  /** Strokes of the graver that leave the sun, dense near it. */
  Rays() {
    pen.strokeStyle = palette.sun;
    const rays = Math.round(sun.radius * 2.4);
    for (let i = 0; i < rays; i++) {
      const angle = (i / rays) * Math.PI * 2 + rand(-0.004, 0.004);
      let from = sun.radius * rand(1.1, 1.22);
      while (from < sun.radius * 6) {
        const length = sun.radius * rand(0.15, 0.7);
        const fade = Math.max(0, 1 - from / (sun.radius * 5.2));
        pen.globalAlpha = 0.62 * fade ** 1.3;
        pen.lineWidth = 0.8 + 1.5 * fade;
        stroke(angle, from, from + length);
        from += length + sun.radius * rand(0.08, 0.3 + (1 - fade) * 0.8);
      }
    }
  },
  /** Dots that thin out with the distance. */
  Grain() {
    pen.fillStyle = palette.sun;
    for (let i = 0; i < 9000; i++) {
      const away = sun.radius * (1 + 3.4 * fxrand() ** 2.2);
      const angle = rand(0, Math.PI * 2);
      pen.globalAlpha = rand(0.25, 0.8);
      pen.beginPath();
      pen.arc(sun.x + Math.cos(angle) * away, sun.y + Math.sin(angle) * away, rand(0.5, 1.5), 0, Math.PI * 2);
      pen.fill();
    }
  },
};

function stroke(angle, from, to) {
  pen.beginPath();
  pen.moveTo(sun.x + Math.cos(angle) * from, sun.y + Math.sin(angle) * from);
  pen.lineTo(sun.x + Math.cos(angle) * to, sun.y + Math.sin(angle) * to);
  pen.stroke();
}

function disc(radius, alpha) {
  pen.globalAlpha = alpha;
  pen.fillStyle = palette.sun;
  pen.beginPath();
  pen.arc(sun.x, sun.y, radius, 0, Math.PI * 2);
  pen.fill();
}

function printSun() {
  pen.lineCap = 'round';
  GLOWS[glow]();
  disc(sun.radius, 1);
}

/** Long flat bands whose ends taper, thinner towards the horizon. */
function printClouds() {
  pen.fillStyle = palette.sky[0];
  for (let i = Math.floor(rand(5, 13)); i > 0; i--) {
    const y = FRAME + (horizon - FRAME) * Math.sqrt(fxrand()) * 0.95;
    const thickness = ((horizon - y) / horizon) * 22 + 2.5;
    const length = rand(180, 620);
    const x = rand(-100, width);
    pen.globalAlpha = rand(0.25, 0.6);
    pen.beginPath();
    for (let t = 0; t <= 1; t += 0.02) {
      const swell = Math.sin(t * Math.PI) ** 0.7 * thickness * (0.4 + noise(t * 6 + i * 9, i));
      pen.lineTo(x + t * length, y - swell * 0.6);
    }
    for (let t = 1; t >= 0; t -= 0.02) pen.lineTo(x + t * length, y + Math.sin(t * Math.PI) * thickness * 0.22);
    pen.fill();
  }
  pen.globalAlpha = 1;
}

const DISTANT = Math.max(2, Math.floor(ridges * 0.4));

/** How far down the sheet a ridge stands, from 0 at the horizon to 1; a lake keeps the near ones low. */
function standing(layer) {
  const depth = layer / (ridges - 1);
  if (!hasWater) return depth ** 1.35;
  return layer < DISTANT ? depth * 0.16 : 0.62 + 0.42 * ((layer - DISTANT) / (ridges - 1 - DISTANT)) ** 1.2;
}

function crestOf(layer) {
  const depth = layer / (ridges - 1);
  const base = horizon + (bottom - horizon + 60) * standing(layer) - 10;
  const full = 70 + 210 * (0.35 + 0.65 * Math.sin(depth * Math.PI * 0.8 + 0.4));
  const rise = hasWater && layer < DISTANT ? full * 0.62 : full;
  const shift = layer * 731 + table[layer] * 9000;
  const crest = (x) => base - rise * (SHAPES[terrain](x + shift, layer) - 0.32);
  return Object.assign(crest, { top: base - rise * 0.5, foot: base + 130 });
}

function printRidge(layer) {
  const depth = layer / (ridges - 1);
  const crest = crestOf(layer);
  pen.beginPath();
  pen.moveTo(0, height);
  for (let x = 0; x <= width; x += 1.5) pen.lineTo(x, crest(x));
  pen.lineTo(width, height);
  pen.closePath();
  const mist = pen.createLinearGradient(0, crest.top, 0, crest.foot);
  mist.addColorStop(0, inkOf(depth));
  mist.addColorStop(1, hazeOf(depth));
  pen.fillStyle = mist;
  pen.fill();
  engrave(layer, depth, crest);
  if (depth > 0.45 && terrain !== 'Mesas') plantTrees(depth, crest);
}

/** Strokes of the graver: they run down from the crest on the lit side, long where the slope is steep. */
function engrave(layer, depth, crest) {
  pen.strokeStyle = blend(palette.line, palette.sky[0], 0.4);
  pen.lineCap = 'round';
  const spacing = 2.6 + depth * 3.2;
  for (let x = FRAME - 60; x < width; x += spacing) {
    const slope = (crest(x + 5) - crest(x - 5)) / 10;
    const lit = slope * light;
    if (lit < -0.06 + 0.1 * fxrand()) continue;
    const length = (16 + 150 * Math.min(0.8, lit) * (0.4 + depth)) * rand(0.55, 1.15);
    pen.globalAlpha = (0.16 + 0.42 * Math.min(1, lit * 1.5)) * (0.45 + 0.55 * depth);
    pen.lineWidth = 0.7 + depth * 0.9;
    pen.beginPath();
    for (let t = 0; t <= 1; t += 0.1) {
      const drift = (slope * 0.55 + (noise(x * 0.02, layer + t) - 0.5) * 0.5) * length * t;
      pen.lineTo(x + drift * light * -0.2 + slope * length * t * 0.5, crest(x) + 3 + length * t);
    }
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

function plantTrees(depth, crest) {
  pen.fillStyle = blend(palette.near, palette.far, 0.28 * (1 - depth));
  for (let x = FRAME; x < width - FRAME; x += rand(3, 12)) {
    const grove = noise(x * 0.012 + depth * 77, depth * 31);
    if (grove < 0.58) continue;
    const tall = (10 + 46 * (grove - 0.5)) * (0.5 + depth * 0.9) * rand(0.7, 1.2);
    const foot = crest(x) + 3;
    pen.beginPath();
    pen.moveTo(x, foot - tall);
    for (let tier = 1; tier <= 4; tier++) {
      const y = foot - tall + (tall * tier) / 4;
      pen.lineTo(x + tall * 0.055 * tier, y);
      pen.lineTo(x + tall * 0.025 * tier, y - tall * 0.03);
    }
    for (let tier = 4; tier >= 1; tier--) {
      const y = foot - tall + (tall * tier) / 4;
      pen.lineTo(x - tall * 0.025 * tier, y - tall * 0.03);
      pen.lineTo(x - tall * 0.055 * tier, y);
    }
    pen.fill();
  }
}

/** A lake between the far ridges: the sky again, and the sun in strokes. */
function printWater() {
  const top = horizon + (bottom - horizon) * 0.13;
  const sheet = pen.createLinearGradient(0, top, 0, bottom);
  sheet.addColorStop(0, palette.sky[0]);
  sheet.addColorStop(1, palette.sky[2]);
  pen.fillStyle = sheet;
  pen.fillRect(0, top, width, height);
  pen.lineCap = 'round';
  for (let y = top + 4; y < bottom; y += rand(3, 6)) {
    const away = (y - top) / (bottom - top);
    for (let i = 0; i < 7; i++) {
      const onGlade = i < 3;
      const reach = sun.radius * (0.4 + away * 1.1);
      const x = onGlade ? sun.x + (fxrand() + fxrand() - 1) * reach : rand(0, width);
      const half = rand(6, 34) * (0.5 + away);
      pen.strokeStyle = onGlade ? palette.sun : palette.line;
      pen.globalAlpha = onGlade ? 0.8 - away * 0.45 : 0.16;
      pen.lineWidth = 1 + away * 1.6;
      pen.beginPath();
      pen.moveTo(x - half, y);
      pen.lineTo(x + half, y);
      pen.stroke();
    }
  }
  pen.globalAlpha = 1;
}

function finish() {
  pen.restore();
  pen.strokeStyle = palette.near;
  pen.lineWidth = 2.2;
  pen.strokeRect(FRAME, FRAME, width - 2 * FRAME, height - 2 * FRAME);
  pen.fillStyle = '#5a4630';
  for (let i = 0; i < 9000; i++) {
    pen.globalAlpha = rand(0.015, 0.075);
    pen.fillRect(rand(0, width), rand(0, height), rand(0.6, 2.4), rand(0.6, 1.3));
  }
  pen.globalAlpha = 1;
  fxpreview();
}

let layer = 0;
function frame() {
  if (layer === 0) printSky();
  if (layer === DISTANT && hasWater) printWater();
  printRidge(layer);
  layer += 1;
  if (layer === ridges) finish();
  else requestAnimationFrame(frame);
}
requestAnimationFrame(frame);
