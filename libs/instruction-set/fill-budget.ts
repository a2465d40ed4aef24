import { inputFault } from '#libs/nodes/node.js';

/** What references may bring into one payload: a variable or an output counts each time it is put in. */
const MAX_BYTES = 32 * 1024 ** 2;

const VALUE_BYTES = 16;

/** Counts what is filled into a payload, so that a small one cannot become a huge one. */
export class FillBudget {
  private bytes = 0;
  private readonly sizes = new WeakMap<object, number>();

  /** Throws a permanent `NodeError` naming the place that was too much. */
  spend(value: unknown, at: () => string): void {
    this.bytes += this.sizeOf(value);
    if (this.bytes <= MAX_BYTES) return;
    const limit = `${MAX_BYTES / 1024 ** 2} MiB`;
    throw inputFault('PAYLOAD_TOO_LARGE', `${at()}: more than ${limit} are filled into the payload`);
  }

  private sizeOf(value: unknown): number {
    if (typeof value !== 'object' || value === null) return filledSize(value);
    const known = this.sizes.get(value);
    if (known !== undefined) return known;
    const size = filledSize(value);
    this.sizes.set(value, size);
    return size;
  }
}

/** Bytes of a value in memory, roughly: its texts, and so much for each value in it. */
export function filledSize(value: unknown): number {
  if (typeof value === 'string') return VALUE_BYTES + value.length;
  if (typeof value !== 'object' || value === null) return VALUE_BYTES;
  return Object.entries(value).reduce(
    (sum, [key, member]) => sum + (Array.isArray(value) ? 0 : key.length) + filledSize(member),
    VALUE_BYTES,
  );
}
