/** Whole micro-credits: the only unit inside. 1 credit = 1,000,000. */
export type MicroCredits = bigint;

const MICRO = 1_000_000;

/** Credits of a script, a price list or a request to micro-credits, rounded half up to whole ones. */
export function toMicroCredits(credits: number): MicroCredits {
  if (!Number.isFinite(credits)) throw new RangeError(`Not an amount of credits: ${credits}`);
  return BigInt(Math.round(credits * MICRO));
}

/** The decimal number of the API. */
export const toCredits = (amount: MicroCredits | string): number => Number(BigInt(amount)) / MICRO;
