/** What stands for all values beyond the limit. */
const OTHER = 'other';

/**
 * Keeps a label from growing without end, and with it the memory of this process and of Prometheus: the
 * first values are kept, all later ones are counted together.
 */
export class BoundedLabels {
  private readonly known = new Set<string>();

  constructor(private readonly limit: number) {}

  of(value: string): string {
    if (this.known.has(value)) return value;
    if (this.known.size >= this.limit) return OTHER;
    this.known.add(value);
    return value;
  }

  get values(): string[] {
    return [...this.known];
  }
}
