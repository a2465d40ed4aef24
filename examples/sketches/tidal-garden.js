/*
 * Tidal Garden. Ribbons follow a current and give way to one another; here and there the current turns
 * around a bloom. p5.js, global mode: every number comes from random() and noise(), which the hash seeds.
 */

const PALETTES = [
  {
    name: 'Kelp',
    weight: 5,
    paper: '#f1e8d6',
    inks: ['#0b3c49', '#1b6066', '#4f9d9a', '#d9a441', '#d1603d', '#f7f1e3', '#b9c8a5'],
  },
  {
    name: 'Harbour',
    weight: 5,
    paper: '#ebe5da',
    inks: ['#16324f', '#2a628f', '#7fb7be', '#dacc96', '#c8553d', '#faf6ee', '#e09f7d'],
  },
  {
    name: 'Moss',
    weight: 4,
    paper: '#ece6d0',
    inks: ['#232f1b', '#4f5d34', '#8f9e6f', '#d99b52', '#ad5a2b', '#fbf7e4', '#c9c19a'],
  },
  {
    name: 'Shell',
    weight: 4,
    paper: '#f5ece4',
    inks: ['#3d3850', '#745a78', '#c7849b', '#ecb6a0', '#f7e4cf', '#3d7b79', '#d9603b'],
  },
  {
    name: 'Ember Tide',
    weight: 3,
    paper: '#191b2c',
    inks: ['#f2674a', '#f7a467', '#f6deb3', '#5d5f95', '#31386b', '#8fc6bc', '#b83a4b'],
  },
  {
    name: 'Deep',
    weight: 3,
    paper: '#0c1522',
    inks: ['#1f3b57', '#3f6a8a', '#86a9b8', '#f0e8d2', '#e2b03f', '#c94f3a', '#14293f'],
  },
];

const CURRENTS = {
  Drift: { weight: 4, scale: 0.0011, turn: 2.4, terraces: 0 },
  Swell: { weight: 4, scale: 0.002, turn: 3.4, terraces: 0 },
  Terraces: { weight: 2, scale: 0.0014, turn: 3.2, terraces: 7 },
};

// Ribbons are laid from the widest to the finest; each class fills what the one before left open.
const RIBBONS = [
  { name: 'broad', width: [26, 46], tries: 130, length: [160, 900] },
  { name: 'middle', width: [12, 22], tries: 700, length: [110, 760] },
  { name: 'narrow', width: [5, 9], tries: 2600, length: [60, 520] },
  { name: 'fine', width: [2, 3.4], tries: 6500, length: [26, 260] },
];

const BLOOMS = [
  { count: 1, weight: 3 },
  { count: 2, weight: 3 },
  { count: 3, weight: 3 },
  { count: 5, weight: 1 },
];

const MARGIN = 62;
const GAP = 2.6;
const STEP = 3;

let unit;
let extent;
let palette;
let current;
let heading;
let blooms;
let taken;

function setup() {
  createCanvas(windowWidth, windowHeight);
  noLoop();
  // All lengths are in thousandths of the shorter side, so that the picture is the same at any size.
  unit = min(width, height) / 1000;
  extent = { width: width / unit, height: height / unit };
  palette = weighted(PALETTES);
  const currentName = weighted(Object.entries(CURRENTS).map(([name, value]) => ({ name, ...value }))).name;
  current = CURRENTS[currentName];
  heading = random(TWO_PI);
  taken = occupancy(60);
  blooms = plantBlooms(weighted(BLOOMS).count);
  $fx.features({ Palette: palette.name, Current: currentName, Blooms: blooms.length });
}

function draw() {
  background(palette.paper);
  scale(unit);
  for (const kind of RIBBONS) layRibbons(kind);
  for (const bloom of blooms) drawBloom(bloom);
  grain();
}

function weighted(choices) {
  let left = random(choices.reduce((sum, { weight }) => sum + weight, 0));
  return choices.find(({ weight }) => (left -= weight) < 0) ?? choices[0];
}

/** Where the current flows to: warped noise, bent around the blooms. */
function flow(x, y) {
  const { scale: s, turn, terraces } = current;
  const warp = 260 * (noise(x * s * 0.8 + 70, y * s * 0.8 + 30) - 0.5);
  let angle = heading + (noise((x + warp) * s, (y - warp) * s) - 0.5) * turn * PI;
  if (terraces) angle = (round((angle / TWO_PI) * terraces) / terraces) * TWO_PI;
  let dx = cos(angle);
  let dy = sin(angle);
  for (const bloom of blooms) {
    const distance = dist(x, y, bloom.x, bloom.y);
    const pull = exp(-sq(max(0, distance - bloom.radius) / (bloom.radius * 0.9)));
    const around = atan2(y - bloom.y, x - bloom.x) + bloom.spin * HALF_PI;
    dx = lerp(dx, cos(around), pull);
    dy = lerp(dy, sin(around), pull);
  }
  return atan2(dy, dx);
}

/** Remembers discs by cell, and tells whether another may lie between them. */
function occupancy(cell) {
  const cells = new Map();
  const nearby = [-1, 0, 1].flatMap((column) => [-1, 0, 1].map((row) => [column, row]));
  const keyOf = (x, y) => floor(x / cell + 64) * 4096 + floor(y / cell + 64);
  const overlaps = (one, x, y, radius) => {
    const reach = one.radius + radius + GAP;
    return sq(one.x - x) + sq(one.y - y) < reach * reach;
  };
  return {
    add(disc) {
      const key = keyOf(disc.x, disc.y);
      if (!cells.has(key)) cells.set(key, []);
      cells.get(key).push(disc);
    },
    free(x, y, radius) {
      return nearby.every(([column, row]) => {
        const near = cells.get(keyOf(x + column * cell, y + row * cell));
        return !near?.some((disc) => overlaps(disc, x, y, radius));
      });
    },
  };
}

function inside(x, y, radius) {
  const edge = MARGIN + radius;
  return x > edge && y > edge && x < extent.width - edge && y < extent.height - edge;
}

function plantBlooms(count) {
  const planted = [];
  for (let tries = 0; planted.length < count && tries < 400; tries++) {
    const radius = random(count === 1 ? 95 : 42, count === 1 ? 150 : 120 - count * 9);
    const x = random(MARGIN + radius * 1.6, extent.width - MARGIN - radius * 1.6);
    const y = random(MARGIN + radius * 1.6, extent.height - MARGIN - radius * 1.6);
    if (planted.some((other) => dist(x, y, other.x, other.y) < (radius + other.radius) * 1.9)) continue;
    planted.push({ x, y, radius, spin: random([-1, 1]) });
  }
  // A rim of small discs keeps ribbons of every width out.
  for (const { x, y, radius } of planted) {
    for (let ring = 0; ring <= radius; ring += 8) {
      const steps = max(1, floor((TWO_PI * ring) / 8));
      for (let i = 0; i < steps; i++) {
        const angle = (i / steps) * TWO_PI;
        taken.add({ x: x + cos(angle) * ring, y: y + sin(angle) * ring, radius: 6 });
      }
    }
  }
  return planted;
}

function layRibbons({ width: [thin, thick], tries, length: [shortest, longest] }) {
  const count = tries * (extent.width * extent.height) / 1e6;
  for (let i = 0; i < count; i++) {
    const broad = random(thin, thick);
    const path = trace(random(extent.width), random(extent.height), broad / 2, longest);
    if (path.length * STEP < shortest) continue;
    for (const { x, y } of path) taken.add({ x, y, radius: broad / 2 });
    drawRibbon(path, broad);
  }
}

/** The longest free way through (x, y), half of it against the current. */
function trace(x, y, radius, longest) {
  if (!inside(x, y, radius) || !taken.free(x, y, radius)) return [];
  const half = (direction) => {
    const points = [];
    let px = x;
    let py = y;
    while (points.length * STEP < longest / 2) {
      const angle = flow(px, py) + (direction < 0 ? PI : 0);
      px += cos(angle) * STEP;
      py += sin(angle) * STEP;
      if (!inside(px, py, radius) || !taken.free(px, py, radius)) break;
      points.push({ x: px, y: py });
    }
    return points;
  };
  return [...half(-1).reverse(), { x, y }, ...half(1)];
}

/** Neighbours share a hue: ink depends on the place first, on chance second. */
function inkAt(x, y) {
  const place = noise(x * 0.0021 + 500, y * 0.0021 + 500) * 1.9 - 0.45;
  const index = floor((place + randomGaussian(0, 0.13)) * palette.inks.length);
  return palette.inks[((index % palette.inks.length) + palette.inks.length) % palette.inks.length];
}

function drawRibbon(path, broad) {
  const middle = path[floor(path.length / 2)];
  const ink = inkAt(middle.x, middle.y);
  const styles = [
    { draw: solid, weight: 6 },
    { draw: banded, weight: broad > 8 ? 3 : 0.4 },
    { draw: stranded, weight: broad > 11 ? 3.4 : 0 },
    { draw: beaded, weight: broad > 4 && broad < 20 ? 1.3 : 0 },
  ];
  weighted(styles).draw(path, broad, ink);
}

function stripe(path, broad, ink, cap = ROUND) {
  noFill();
  stroke(ink);
  strokeWeight(broad);
  strokeCap(cap);
  strokeJoin(ROUND);
  beginShape();
  for (const { x, y } of path) vertex(x, y);
  endShape();
}

function solid(path, broad, ink) {
  stripe(path, broad, ink);
  if (broad > 20 && random() < 0.4) stripe(path, broad * 0.16, otherThan(ink));
}

/** Stretches of several inks, as in agate. */
function banded(path, broad, ink) {
  stripe(path, broad, ink);
  const second = otherThan(ink);
  const third = otherThan(ink);
  let at = floor(random(4, 18));
  while (at < path.length - 4) {
    const stretch = floor(random(2, max(4, broad * 0.7)));
    const band = path.slice(at, min(at + stretch, path.length - 2));
    stripe(band, broad + 0.7, random() < 0.7 ? second : third, SQUARE);
    at += stretch + floor(random(3, broad * 1.2));
  }
}

/** Parallel threads with paper between them. */
function stranded(path, broad, ink) {
  const threads = max(3, round(broad / random(4.5, 7)));
  const second = otherThan(ink);
  for (let i = 0; i < threads; i++) {
    const offset = ((i + 0.5) / threads - 0.5) * broad;
    const from = floor(random(0, 7));
    const moved = path.slice(from, path.length - floor(random(0, 7))).map((point, index, all) => {
      const next = all[min(index + 1, all.length - 1)];
      const before = all[max(index - 1, 0)];
      const normal = atan2(next.y - before.y, next.x - before.x) + HALF_PI;
      return { x: point.x + cos(normal) * offset, y: point.y + sin(normal) * offset };
    });
    stripe(moved, (broad / threads) * 0.58, i % 3 === 1 ? second : ink);
  }
}

function beaded(path, broad, ink) {
  noStroke();
  const second = otherThan(ink);
  for (let at = 0, bead = 0; at < path.length; bead++) {
    const size = broad * (bead % 4 === 0 ? 1 : 0.58);
    fill(bead % 4 === 0 ? ink : second);
    circle(path[at].x, path[at].y, size);
    at += max(2, round((broad * 0.92) / STEP));
  }
}

const otherThan = (ink) => random(palette.inks.filter((each) => each !== ink));

/** Rings of petals around a dark heart. */
function drawBloom({ x, y, radius, spin }) {
  push();
  translate(x, y);
  rotate(random(TWO_PI));
  const rings = floor(map(radius, 40, 150, 4, 8));
  let outer = radius * 0.97;
  noStroke();
  for (let ring = 0; ring < rings; ring++) {
    const depth = (outer / rings) * random(0.85, 1.3);
    const petals = floor((TWO_PI * outer) / random(9, 24));
    const ink = palette.inks[(ring * 2 + floor(random(2))) % palette.inks.length];
    const second = otherThan(ink);
    for (let petal = 0; petal < petals; petal++) {
      push();
      rotate((petal / petals) * TWO_PI + spin * ring * 0.13);
      fill(petal % 2 && ring % 2 ? second : ink);
      const breadth = ((TWO_PI * outer) / petals) * 0.84;
      ellipse(outer - depth / 2, 0, depth * 0.92, breadth);
      pop();
    }
    outer -= depth;
    if (outer < radius * 0.16) break;
  }
  fill(palette.inks[0]);
  circle(0, 0, max(outer, radius * 0.12) * 1.5);
  pop();
}

/** The tooth of the paper. */
function grain() {
  noStroke();
  const count = 26000 * (extent.width * extent.height) / 1e6;
  for (let i = 0; i < count; i++) {
    fill(random() < 0.5 ? 255 : 0, random(5, 20));
    circle(random(extent.width), random(extent.height), random(0.6, 1.7));
  }
}
