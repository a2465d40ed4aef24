/*
 * Loom. One warp runs through the whole cloth; the weft changes colour and the weave its structure from
 * panel to panel, and panels divide again and again. After Anni Albers' hangings. p5.js, instance mode.
 */

const PALETTES = [
  {
    name: 'Madder',
    wall: '#e9e2d6',
    warp: ['#efe4cf', '#2c2a32'],
    weft: ['#a63d32', '#d98e4a', '#e8cfa0', '#2c2a32', '#6d7f86'],
  },
  {
    name: 'Indigo',
    wall: '#ebe7df',
    warp: ['#f0ead9', '#1e2b46'],
    weft: ['#27406b', '#5d83a8', '#b8c7c9', '#e6dcc0', '#b9653f'],
  },
  {
    name: 'Weld',
    wall: '#e6e2d4',
    warp: ['#f3ead0', '#38382f'],
    weft: ['#d3a52e', '#8d8a3d', '#4f5b45', '#f1e0a8', '#c06a3a'],
  },
  {
    name: 'Iron',
    wall: '#dcdad5',
    warp: ['#ece7dd', '#23252a'],
    weft: ['#3b3f45', '#7d8082', '#b9b2a6', '#e5ded0', '#9c4a2f'],
  },
  {
    name: 'Lichen',
    wall: '#e4e6de',
    warp: ['#eef0e2', '#26352f'],
    weft: ['#3f6150', '#8aa583', '#cfd8b4', '#d9a066', '#7a4b52'],
  },
  {
    name: 'Night',
    wall: '#20222c',
    warp: ['#d8cfbd', '#11131b'],
    weft: ['#3a4a7a', '#7f6b9e', '#c98a94', '#e6c08e', '#2b2f45'],
  },
];

/** Whether the warp lies on top where column x and row y cross. */
const WEAVES = {
  Tabby: (x, y) => (x + y) % 2 === 0,
  Basket: (x, y) => ((x >> 1) + (y >> 1)) % 2 === 0,
  Twill: (x, y) => (x + y) % 4 < 2,
  'Steep twill': (x, y) => (x + 2 * y) % 5 < 2,
  Herringbone: (x, y) => ((x % 16 < 8 ? x : 15 - x) + y + 400) % 4 < 2,
  Satin: (x, y) => (x * 2 + y) % 5 === 0,
  Sateen: (x, y) => (x * 3 + y) % 8 !== 0,
  Diamond: (x, y) => (Math.abs((x % 20) - 10) + Math.abs((y % 20) - 10)) % 5 < 2,
  Chevron: (x, y) => (Math.abs((x % 12) - 6) + y) % 6 < 3,
};

new p5((p) => {
  const THREADS = 150;
  let palette;
  let unit;
  let cloth;

  p.setup = () => {
    p.createCanvas(p.windowWidth, p.windowHeight);
    p.noLoop();
    palette = p.random(PALETTES);
    unit = Math.min(p.width, p.height) / 1000;
    cloth = layOut();
  };

  p.draw = () => {
    p.background(palette.wall);
    hang();
    fringe();
    weave();
    light();
    const names = cloth.panels.map((panel) => panel.weave);
    $fx.features({
      Dye: palette.name,
      Panels: cloth.panels.length,
      Structures: new Set(names).size,
      Cut: cloth.cut,
    });
  };

  /** The cloth in threads: its place, the warp's colours, and panels that cover it. */
  function layOut() {
    const pitch = (760 * unit) / THREADS;
    const columns = THREADS;
    const rows = Math.round((p.height - 250 * unit) / pitch);
    const left = (p.width - columns * pitch) / 2;
    const top = 112 * unit;
    const cut = p.random(['Squares', 'Squares', 'Diagonals', 'Bands']);
    const panels = divide({ x: 0, y: 0, width: columns, height: rows }, 0, cut);
    return { pitch, columns, rows, left, top, cut, panels: panels.map(dress), warp: stripes(columns) };
  }

  /** Splits along the longer side, unevenly, until chance or size says stop. */
  function divide(area, depth, cut) {
    const small = Math.max(area.width, area.height) < 26;
    if (small || (depth > 2 && p.random() < 0.14 * depth)) return [area];
    const across = cut === 'Bands' ? p.random() < 0.16 : area.width * p.random(0.75, 1.25) > area.height;
    const length = across ? area.width : area.height;
    const at = Math.round(length * p.random([0.25, 1 / 3, 0.5, 0.5, 2 / 3, 0.75]) * 0.5) * 2;
    if (at < 8 || length - at < 8) return [area];
    const first = across ? { ...area, width: at } : { ...area, height: at };
    const second = across
      ? { ...area, x: area.x + at, width: area.width - at }
      : { ...area, y: area.y + at, height: area.height - at };
    return [...divide(first, depth + 1, cut), ...divide(second, depth + 1, cut)];
  }

  /** Gives a panel its structure, its weft, and, where panels are cut slantwise, a second one of each. */
  function dress(area) {
    const slantwise = Math.min(area.width, area.height) > 14 && p.random() < 0.5;
    const slant = slantwise ? p.random(['none', 'rise', 'fall', 'arc']) : 'none';
    return { ...area, ...structure(), slant, other: structure() };
  }

  function structure() {
    const name = p.random(Object.keys(WEAVES));
    const [ground, accent] = p.shuffle(palette.weft);
    const every = p.random([0, 0, 0, 4, 6, 9]);
    return { weave: name, colorOf: (row) => (every && row % every < every / 3 ? accent : ground) };
  }

  /** A symmetrical order of stripes for the warp. */
  function stripes(count) {
    const half = [];
    let which = 0;
    while (half.length < count / 2) {
      const run = p.random([2, 4, 6, 10, 18]);
      const ink = p.random() < 0.12 ? p.random(palette.weft) : palette.warp[which % 2];
      for (let i = 0; i < run; i++) half.push(ink);
      which += p.random() < 0.75 ? 1 : 2;
    }
    const firstHalf = half.slice(0, Math.ceil(count / 2));
    return [...firstHalf, ...firstHalf.slice(0, Math.floor(count / 2)).reverse()];
  }

  function panelAt(x, y) {
    const panel = cloth.panels.find(
      (each) => x >= each.x && y >= each.y && x < each.x + each.width && y < each.y + each.height,
    );
    const u = (x - panel.x + 0.5) / panel.width;
    const v = (y - panel.y + 0.5) / panel.height;
    const beyond =
      (panel.slant === 'rise' && u + v > 1) ||
      (panel.slant === 'fall' && u > v) ||
      (panel.slant === 'arc' && u * u + v * v > 0.9);
    return beyond ? panel.other : panel;
  }

  /** Draws what lies on top, thread by thread: a thread shows in runs between its dives. */
  function weave() {
    const { columns, rows, warp } = cloth;
    const draftOf = (y) => Array.from({ length: columns }, (_, x) => panelAt(x, y));
    const drafts = Array.from({ length: rows }, (_, y) => draftOf(y));
    const above = drafts.map((row, y) => row.map((draft, x) => WEAVES[draft.weave](x, y)));
    p.noStroke();
    for (let y = 0; y < rows; y++) {
      const weftAt = (x) => !above[y][x] && drafts[y][x].colorOf(y);
      forRuns(columns, weftAt, (from, to, ink) => thread(from, y, to - from, true, ink));
    }
    for (let x = 0; x < columns; x++) {
      forRuns(rows, (y) => above[y][x] && warp[x], (from, to, ink) => thread(x, from, to - from, false, ink));
    }
  }

  function forRuns(length, valueAt, draw) {
    let from = 0;
    for (let at = 1; at <= length; at++) {
      const value = valueAt(from);
      if (at < length && valueAt(at) === value) continue;
      if (value) draw(from, at, value);
      from = at;
    }
  }

  /** One visible run of a thread: a rounded body, lit from above. Hand-spun, so no two are alike. */
  function thread(x, y, length, lying, ink) {
    const { pitch, left, top } = cloth;
    const swell = pitch * p.random(0.02, 0.1);
    const along = pitch * 0.32;
    const [px, py] = [left + x * pitch, top + y * pitch];
    const [w, h] = lying ? [length * pitch, pitch] : [pitch, length * pitch];
    const box = lying
      ? [px - along, py + swell, w + 2 * along, h - 2 * swell]
      : [px + swell, py - along, w - 2 * swell, h + 2 * along];
    const shade = p.random(-13, 13);
    p.fill(tinted(ink, shade - 34));
    p.rect(...box, pitch * 0.42);
    p.fill(tinted(ink, shade));
    const inset = pitch * 0.16;
    if (lying) p.rect(box[0] + inset * 0.6, box[1], box[2] - inset * 1.2, box[3] - inset, pitch * 0.4);
    else p.rect(box[0], box[1] + inset * 0.6, box[2] - inset, box[3] - inset * 1.2, pitch * 0.4);
  }

  function tinted(ink, by) {
    const value = parseInt(ink.slice(1), 16);
    return [16, 8, 0].map((shift) => p.constrain(((value >> shift) & 255) + by, 0, 255));
  }

  /** The cloth's shadow on the wall, the rod, and a dark ground below the threads. */
  function hang() {
    const { pitch, left, top, columns, rows } = cloth;
    const [w, h] = [columns * pitch, rows * pitch];
    p.noStroke();
    for (let i = 18; i > 0; i--) {
      p.fill(0, 5);
      const spread = i * unit;
      const [x, y] = [left - spread * 0.9 + 8 * unit, top - spread * 0.4 + 12 * unit];
      p.rect(x, y, w + spread * 1.8, h + spread * 1.4, 12 * unit);
    }
    p.fill(tinted(palette.warp[1], -8));
    p.rect(left, top, w, h);
  }

  function fringe() {
    const { pitch, left, top, columns, rows, warp } = cloth;
    const bottom = top + rows * pitch;
    p.noFill();
    for (let x = 0; x < columns; x += 1) {
      const knot = Math.floor(x / 6) * 6 + 3;
      const px = left + (x + 0.5) * pitch;
      const gather = left + (knot + 0.1 * (x - knot)) * pitch;
      const length = 66 + p.random(-9, 9);
      p.stroke(tinted(warp[x], p.random(-26, 4)));
      p.strokeWeight(pitch * 0.55);
      const below = (distance) => bottom + distance * unit;
      p.bezier(px, bottom - pitch, px, below(12), gather, below(10), gather, below(22));
      const swing = gather + p.random(-1, 1) * pitch * 1.5;
      const midway = (gather + swing) / 2;
      p.bezier(gather, below(21), gather, below(34), midway, below(length * 0.7), swing, below(length));
      p.line(px, top + pitch, px, top - 11 * unit);
    }
    p.noStroke();
    for (let knot = 3; knot < columns; knot += 6) {
      p.fill(tinted(warp[knot], -30));
      p.ellipse(left + knot * pitch, bottom + 22 * unit, pitch * 2.1, pitch * 2.7);
    }
    p.fill(tinted('#6b4a32', 0));
    p.rect(left - 26 * unit, top - 19 * unit, columns * pitch + 52 * unit, 11 * unit, 6 * unit);
    p.fill(255, 38);
    p.rect(left - 24 * unit, top - 18 * unit, columns * pitch + 48 * unit, 3 * unit, 3 * unit);
  }

  /** Soft folds: the cloth does not hang quite flat. */
  function light() {
    const { pitch, left, top, columns, rows } = cloth;
    const phase = p.random(p.TWO_PI);
    p.noStroke();
    for (let x = 0; x < columns; x++) {
      const fold = Math.sin(x * 0.085 + phase) + 0.5 * Math.sin(x * 0.031 + phase * 2);
      p.fill(fold > 0 ? 255 : 0, Math.abs(fold) * 13);
      p.rect(left + x * pitch, top, pitch + 0.5, rows * pitch);
    }
  }
});
