/** What was loaded a moment ago, up to a number of bytes; the oldest goes first. */
export class RecentBytes<Value extends { bytes: { length: number } }> {
  private readonly entries = new Map<string, { value: Value; until: number }>();
  private size = 0;

  constructor(private readonly limits: { bytes: number; ms: number }) {}

  get(key: string): Value | undefined {
    const entry = this.entries.get(key);
    return entry && entry.until > Date.now() ? entry.value : undefined;
  }

  set(key: string, value: Value): void {
    this.delete(key);
    this.entries.set(key, { value, until: Date.now() + this.limits.ms });
    this.size += value.bytes.length;
    for (const oldest of this.entries.keys()) {
      if (this.size <= this.limits.bytes) return;
      this.delete(oldest);
    }
  }

  private delete(key: string): void {
    this.size -= this.entries.get(key)?.value.bytes.length ?? 0;
    this.entries.delete(key);
  }
}
