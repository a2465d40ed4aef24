import fc from 'fast-check';
import type { EntryType } from '#libs/credits/ledger.js';
import type { Operation } from './ledger-model.js';

/** What a job sets aside: a generation's price, or its base cost. */
export interface Reservation {
  /** Null for the base cost. */
  generationId: string | null;
  price: bigint;
  /** Of the last hold; 0 before the first. */
  run: number;
  state: 'none' | 'held' | 'captured' | 'released';
  key(run: number): string;
}

type Resolution = 'capture' | 'release' | 'leave';

/** What one step of a sequence tries. Whether it can be done depends on what happened before. */
export type Command =
  | { does: 'grant' | 'refund' | 'adjust'; amount: bigint; slot: number }
  | { does: 'hold' | 'hold again'; job: number; maxOpen: number }
  | { does: 'resolve'; job: number; as: Resolution[] };

/** Jobs of a sequence, the generations of each, and keys for grants: few, so that they meet again. */
export const JOBS = 3;
export const GENERATIONS = 3;
const SLOTS = 6;
/** Each job has a base cost, too. */
const PRICES = JOBS * (GENERATIONS + 1);
/** Steps of one sequence at most. */
const STEPS = 40;

const does = <Name extends string>(...names: Name[]) => fc.constantFrom(...names);
const job = fc.nat(JOBS - 1);
const slot = fc.nat(SLOTS - 1);
const resolutions = fc.array(does<Resolution>('capture', 'release', 'leave'), {
  minLength: GENERATIONS + 1,
  maxLength: GENERATIONS + 1,
});
const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: does('grant'), amount: fc.bigInt(0n, 60n), slot }) },
  { weight: 1, arbitrary: fc.record({ does: does('refund'), amount: fc.bigInt(0n, 60n), slot }) },
  { weight: 1, arbitrary: fc.record({ does: does('adjust'), amount: fc.bigInt(-20n, 20n), slot }) },
  { weight: 3, arbitrary: fc.record({ does: does('hold'), job, maxOpen: fc.constantFrom(3, 6, 100) }) },
  { weight: 1, arbitrary: fc.record({ does: does('hold again'), job, maxOpen: fc.constant(100) }) },
  { weight: 5, arbitrary: fc.record({ does: does('resolve'), job, as: resolutions }) },
);

/** Prices of everything that can be held, then steps of one command or of several at the same time. */
export const sequence = fc.record({
  prices: fc.array(fc.bigInt(0n, 9n), { minLength: PRICES, maxLength: PRICES }),
  steps: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: anyCommand.map((only) => [only]) },
      { weight: 1, arbitrary: fc.array(anyCommand, { minLength: 2, maxLength: 4 }) },
    ),
    { minLength: 1, maxLength: STEPS, size: 'max' },
  ),
});

/** The call of the ledger that a command comes to as things stand; undefined where there is nothing to do. */
export function operationOf(command: Command, jobs: Reservation[][], user: string): Operation | undefined {
  switch (command.does) {
    case 'hold':
      return hold(jobs[command.job]!, command.maxOpen);
    case 'hold again':
      return holdAgain(jobs[command.job]!, command.maxOpen);
    case 'resolve':
      return resolve(jobs[command.job]!, command.as);
    default: {
      const { does: type, amount, slot: number } = command;
      const movements = [{ type, amount, key: `${type}:${user}:${number}` }];
      return { call: type === 'grant' ? 'grant' : 'append', movements, opens: 0, maxOpen: null };
    }
  }
}

/** A submission, or a resume: what is neither held nor paid is held under the next run. */
function hold(reservations: Reservation[], maxOpen: number): Operation | undefined {
  const due = reservations.filter(({ state }) => state === 'none' || state === 'released');
  return holding(due.map((reservation) => ({ reservation, run: reservation.run + 1 })), maxOpen);
}

/** A resume that is done twice. */
function holdAgain(reservations: Reservation[], maxOpen: number): Operation | undefined {
  const known = reservations.filter(({ run }) => run > 0);
  return holding(known.map((reservation) => ({ reservation, run: reservation.run })), maxOpen);
}

function holding(
  due: Array<{ reservation: Reservation; run: number }>,
  maxOpen: number,
): Operation | undefined {
  const opens = due.filter(({ reservation }) => reservation.generationId).length;
  if (opens === 0) return undefined;
  const movements = due.map(({ reservation, run }) => ({
    type: 'hold' as const, amount: reservation.price, key: `${reservation.key(run)}:hold`,
  }));
  return { call: 'hold', movements, opens, maxOpen };
}

/** Ends generations, of which some may have ended before: then none of it may be done. */
function resolve(reservations: Reservation[], as: Resolution[]): Operation | undefined {
  const ended = reservations.flatMap((reservation, index) => {
    const type = as[index]!;
    return type === 'leave' || reservation.run === 0 ? [] : [{ ...reservation, type, key: reservation.key }];
  });
  if (ended.length === 0) return undefined;
  const movements = ended.map(({ type, price, key, run }) => ({
    type, amount: price, key: `${key(run)}:${type}`,
  }));
  const opens = -ended.filter(({ generationId }) => generationId).length;
  return { call: 'append', movements, opens, maxOpen: null };
}

const STATES: Partial<Record<EntryType, Reservation['state']>> = {
  hold: 'held',
  capture: 'captured',
  release: 'released',
};

/** Keeps in mind what an operation that was done has made of the reservations. */
export function remember(jobs: Reservation[][], { movements }: Operation): void {
  const states = new Map(movements.map(({ type, key }) => [key.replace(`:${type}`, ''), STATES[type]]));
  for (const reservation of jobs.flat()) {
    for (const run of [reservation.run, reservation.run + 1]) {
      const state = states.get(reservation.key(run));
      if (state) Object.assign(reservation, { run, state });
    }
  }
}
