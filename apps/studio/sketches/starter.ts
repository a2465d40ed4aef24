/** What the editor begins with: short enough to be read, and worth changing. */
export const STARTER = `// Every chance comes from the edition's hash: the same hash, the same picture.
const PALETTES = {
  Ember: ['#22181c', '#f25c3b', '#f9b872', '#f6ead7'],
  Lagoon: ['#0f2a36', '#2f8f9d', '#b3d9c8', '#f4f1de'],
  Moss: ['#1f2a1c', '#6a8d4f', '#d5c67a', '#f3efe0'],
};

function setup() {
  createCanvas(windowWidth, windowHeight);
  const name = pseudorandomPick(Object.keys(PALETTES));
  const [ground, ...inks] = PALETTES[name];
  const count = pseudorandomInteger(18, 60);
  background(ground);
  noFill();
  for (let line = 0; line < count; line++) {
    stroke(inks[line % inks.length]);
    strokeWeight(random(1, width / 90));
    const y = map(line, 0, count - 1, height * 0.15, height * 0.85);
    beginShape();
    for (let x = width * 0.1; x <= width * 0.9; x += width / 120) {
      const swell = sin(PI * map(x, width * 0.1, width * 0.9, 0, 1));
      vertex(x, y + (noise(x / (width / 3), line / 9) - 0.5) * height * 0.35 * swell);
    }
    endShape();
  }
  $fx.features({ Palette: name, Lines: count });
  noLoop();
}
`;
