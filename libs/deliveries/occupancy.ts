import type { DueDelivery } from './delivery.js';
import type { Occupied } from './delivery-rows.js';

/** Counts what runs to each host and of each user. */
export class Occupancy {
  private readonly hosts = new Map<string, number>();
  private readonly users = new Map<string, number>();

  constructor(private readonly limits: { perHost: number; perUser: number }) {}

  /** Those who have as much as they may. */
  full(): Occupied {
    return { hosts: atLimit(this.hosts, this.limits.perHost), users: atLimit(this.users, this.limits.perUser) };
  }

  /** Returns the way to give the place back. */
  take({ host, userId }: DueDelivery): () => void {
    change(this.hosts, host, 1);
    change(this.users, userId, 1);
    return () => {
      change(this.hosts, host, -1);
      change(this.users, userId, -1);
    };
  }
}

const atLimit = (counts: Map<string, number>, limit: number): string[] =>
  [...counts].filter(([, count]) => count >= limit).map(([name]) => name);

function change(counts: Map<string, number>, name: string, by: number): void {
  const count = (counts.get(name) ?? 0) + by;
  if (count > 0) counts.set(name, count);
  else counts.delete(name);
}
