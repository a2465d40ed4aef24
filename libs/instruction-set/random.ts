import { createHash } from 'node:crypto';

/** Draws numbers in [0, 1). */
export type RandomStream = () => number;

/** sfc32 (Chris Doty-Humphrey, PractRand) over four 32-bit seeds, as fxhash uses it. */
export function sfc32(a: number, b: number, c: number, d: number): RandomStream {
  return () => {
    a |= 0;
    b |= 0;
    c |= 0;
    d |= 0;
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 4294967296;
  };
}

/** The four seeds of the stream called `name`: SHA-256(hash + ':' + name). For code that runs elsewhere. */
export function streamSeed(hash: string, name: string): [number, number, number, number] {
  const digest = createHash('sha256').update(`${hash}:${name}`).digest();
  return [digest.readUInt32BE(0), digest.readUInt32BE(4), digest.readUInt32BE(8), digest.readUInt32BE(12)];
}

/** A stream of its own for `name`: drawing from one moves no other. */
export const randomStream = (hash: string, name: string): RandomStream =>
  sfc32(...streamSeed(hash, name));

/** Seeded draws in the forms nodes need. */
export class SeededRandom {
  constructor(private readonly next: RandomStream) {}

  /** [0, 1) */
  number(): number {
    return this.next();
  }

  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.integer(0, items.length - 1)] as Item;
  }

  /** Picks in proportion to `weights`, whose sum is above zero. */
  weightedPick<Item>(items: readonly Item[], weights: readonly number[]): Item {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let left = this.next() * total;
    for (const [index, item] of items.entries()) {
      left -= weights[index] ?? 0;
      if (left < 0) return item;
    }
    // Rounding can leave a hair's breadth: the last item with a weight takes it.
    return items[weights.findLastIndex((weight) => weight > 0)] as Item;
  }
}
