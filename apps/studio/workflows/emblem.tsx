const SIDE = 400;
/** Pairs of ground and inks, quiet enough to stand beside pictures. */
const PALETTES = [
  ['#e9dfcf', '#b4512f', '#2c3a47', '#d9a441'],
  ['#dfe3da', '#3f6150', '#c4783e', '#26352f'],
  ['#e3dfe6', '#564a78', '#c98a94', '#23213a'],
  ['#dce4e8', '#27516b', '#cf6f4a', '#15293a'],
  ['#ece3da', '#7a3b3b', '#8c8a4a', '#33282a'],
  ['#e4e2d4', '#8a6d1f', '#3b5560', '#2b2a22'],
] as const;

/** A print for whatever has no picture of its own: always the same for the same name. */
export function Emblem({ seed }: { seed: string }) {
  const next = numbersOf(seed);
  const [ground, ...inks] = PALETTES[Math.floor(next() * PALETTES.length)] ?? PALETTES[0];
  const ink = (index: number) => inks[index % inks.length];
  const draw = COMPOSITIONS[Math.floor(next() * COMPOSITIONS.length)] ?? bands;
  return (
    <svg class="emblem" viewBox={`0 0 ${SIDE} ${SIDE}`} preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      <rect width={SIDE} height={SIDE} fill={ground} />
      {draw(next, ink)}
    </svg>
  );
}

type Next = () => number;
type Ink = (index: number) => string | undefined;

function bands(next: Next, ink: Ink) {
  let y = 60;
  return Array.from({ length: 7 }, (_, index) => {
    const height = 8 + next() * 44;
    const left = 50 + next() * 60;
    const band = <rect x={left} y={y} width={350 - left} height={height} rx={2} fill={ink(index)} opacity={0.9} />;
    y += height + 8;
    return y < 390 ? band : null;
  });
}

function arcs(next: Next, ink: Ink) {
  const [x, y] = [80 + next() * 240, 80 + next() * 240];
  return Array.from({ length: 9 }, (_, index) => (
    <circle cx={x} cy={y} r={24 + index * 26} fill="none" stroke={ink(Math.floor(next() * 3))} stroke-width={6 + next() * 12}
      stroke-dasharray={`${40 + next() * 400} ${20 + next() * 120}`} />
  ));
}

function tiles(next: Next, ink: Ink) {
  return Array.from({ length: 25 }, (_, index) => {
    const [x, y] = [40 + (index % 5) * 66, 40 + Math.floor(index / 5) * 66];
    const turn = Math.floor(next() * 4) * 90;
    if (next() < 0.2) return <circle cx={x + 29} cy={y + 29} r={16} fill={ink(index)} />;
    return <path d="M0 0H58A58 58 0 0 1 0 58Z" fill={ink(Math.floor(next() * 3))}
      transform={`translate(${x} ${y}) rotate(${turn} 29 29)`} />;
  });
}

const COMPOSITIONS = [bands, arcs, tiles];

/** Numbers from 0 to 1 that follow from a text (mulberry32). */
function numbersOf(seed: string): Next {
  let state = [...seed].reduce((sum, letter) => Math.imul(sum ^ letter.charCodeAt(0), 0x01000193) >>> 0, 0x811c9dc5);
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
