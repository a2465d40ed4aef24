/* Platen's own seeded draws, the same as `SeededRandom` in Node. */
platen.definePseudorandom = ({ hash }) => {
  let next = platen.random.stream(hash, 'pseudorandom');

  const number = (min, max) => {
    if (min === undefined) return next();
    return max === undefined ? next() * min : min + next() * (max - min);
  };
  const integer = (min, max) => min + Math.floor(next() * (max - min + 1));
  const times = (count, draw) => Array.from({ length: count }, draw);
  const pick = (items) => items[integer(0, items.length - 1)];

  function weightedPick(items, weights) {
    let left = next() * weights.reduce((sum, weight) => sum + weight, 0);
    for (const [index, item] of items.entries()) {
      left -= weights[index] ?? 0;
      if (left < 0) return item;
    }
    return items[weights.findLastIndex((weight) => weight > 0)];
  }

  Object.assign(window, {
    /** Starts the sequence that belongs to `seed`, whatever the hash is. */
    pseudorandomSeed: (seed) => {
      next = platen.random.stream(seed, 'pseudorandom');
    },
    /** [0, 1), [0, min) or [min, max), as p5's `random`. */
    pseudorandom: number,
    pseudorandoms: (count, min, max) => times(count, () => number(min, max)),
    /** Whole numbers from `min` to `max`, both included. */
    pseudorandomInteger: integer,
    pseudorandomIntegers: (count, min, max) => times(count, () => integer(min, max)),
    pseudorandomBoolean: () => next() < 0.5,
    pseudorandomPick: pick,
    pseudorandomWeightedPick: weightedPick,
    /** Picks anything but `exclude`, a value or a list of values. */
    pseudorandomPickButNot: (items, exclude) => {
      const excluded = Array.isArray(exclude) ? exclude : [exclude];
      return pick(items.filter((item) => !excluded.includes(item)));
    },
  });
};
