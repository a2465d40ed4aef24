import type { EntryType } from '#libs/credits/ledger.js';

/** One call of the ledger: all of its movements, or none. */
export interface Operation {
  call: 'grant' | 'hold' | 'append';
  movements: Array<{ type: EntryType; amount: bigint; key: string }>;
  /** Generations that join the open ones, or below zero leave them. */
  opens: number;
  maxOpen: number | null;
}

/** `rejected`: the schema refused what must never be asked (a key used twice, a sum below zero). */
export type Outcome = 'done' | 'INSUFFICIENT_CREDITS' | 'TOO_MANY_INFLIGHT' | 'rejected';

/** What the ledger promises, in the plainest way: no SQL, nothing at once, everything in memory. */
export class LedgerModel {
  balance = 0n;
  held = 0n;
  open = 0;
  entries = 0;
  private keys = new Set<string>();
  private resolved = new Set<string>();

  apply({ call, movements, opens, maxOpen }: Operation): Outcome {
    if (call === 'grant' && movements.some(({ key }) => this.keys.has(key))) return 'done';
    const next = this.copy();
    next.open += opens;
    const isNew = movements.map((movement) => next.book(movement));
    if (maxOpen !== null && next.open > maxOpen) return 'TOO_MANY_INFLIGHT';
    if (next.balance < next.held) return 'INSUFFICIENT_CREDITS';
    if (isNew.includes(false) || next.held < 0n || next.open < 0) return 'rejected';
    Object.assign(this, next);
    return 'done';
  }

  copy(): LedgerModel {
    const { keys, resolved, ...sums } = this;
    return Object.assign(new LedgerModel(), sums, { keys: new Set(keys), resolved: new Set(resolved) });
  }

  /** Whether a movement is new, and the first to resolve its reservation. */
  private book({ type, amount, key }: Operation['movements'][number]): boolean {
    if (type === 'hold' || type === 'release') this.held += type === 'hold' ? amount : -amount;
    else if (type === 'capture') [this.balance, this.held] = [this.balance - amount, this.held - amount];
    else this.balance += amount;
    this.entries += 1;
    const resolves = type === 'capture' || type === 'release';
    const reservation = key.replace(/:(capture|release)$/, '');
    const isNew = !this.keys.has(key) && !(resolves && this.resolved.has(reservation));
    this.keys.add(key);
    if (resolves) this.resolved.add(reservation);
    return isNew;
  }
}
