import { randomUUID } from 'node:crypto';
import type { SeededRandom } from '#libs/instruction-set/random.js';
import type { CallFault, Report } from '#libs/providers/stand-in/dials.js';

/** What becomes of a prediction, and what is reported of it. */
export interface Fate {
  end: string;
  /** It succeeds without an output. */
  isEmpty: boolean;
  reports: Report[];
}

export const makesImage = ({ end, isEmpty }: Fate): boolean => end === 'succeeded' && !isEmpty;

const MOST_REPORTS = 5;
/** How long after its end the last report may come, as a multiple of its run. */
const LATEST = 4;
const ENDS = ['succeeded', 'failed', 'canceled', 'aborted'];
const LIES = ['starting', 'processing', ...ENDS];
const FOREIGN_SECRET = 'whsec_c29tZW9uZSBlbHNlJ3Mgc2VjcmV0LCBsb25nIGVub3VnaA==';
/** Five minutes are let through. */
const STALE_SECONDS = 330;
const REPEATED = 0.3;

const KINDS = ['true', 'lying', 'forged', 'stale'] as const;
export type ReportKind = (typeof KINDS)[number];

/** Reports come 0 to 5 times, in any order, from before our create was answered until long after the end. */
export function drawFate(random: SeededRandom, runMs: number): Fate {
  const end = random.weightedPick(ENDS, [0.8, 0.1, 0.05, 0.05]);
  const ids: string[] = [];
  const reports = Array.from({ length: random.integer(0, MOST_REPORTS) }, (): Report => {
    const id = ids.length > 0 && random.number() < REPEATED ? random.pick(ids) : `msg_${randomUUID()}`;
    ids.push(id);
    const report = { id, afterMs: random.integer(0, LATEST * runMs) };
    const kind = random.weightedPick(KINDS, [0.5, 0.2, 0.15, 0.15]);
    if (kind === 'lying') return { ...report, says: random.pick(LIES) };
    if (kind === 'forged') return { ...report, says: random.pick(LIES), secret: FOREIGN_SECRET };
    return kind === 'stale' ? { ...report, ageSeconds: STALE_SECONDS } : report;
  });
  return { end, isEmpty: random.number() < 0.1, reports };
}

export function kindOf({ secret, ageSeconds, says }: Report): ReportKind {
  if (secret !== undefined) return 'forged';
  if (ageSeconds !== undefined) return 'stale';
  return says === undefined ? 'true' : 'lying';
}

const FAULTS: ReadonlyArray<{ name: string; weight: number; fault: CallFault }> = [
  { name: 'refused as one too many, with a time', weight: 4, fault: { throttled: true, retryAfter: 1 } },
  { name: 'refused as one too many', weight: 1, fault: { throttled: true } },
  { name: 'broken', weight: 3, fault: { status: 500 } },
  { name: 'away', weight: 3, fault: { status: 503 } },
  { name: 'done and not answered', weight: 4, fault: 'lost' },
  // Longer than a prediction runs: its reports come first.
  { name: 'done and answered late', weight: 5, fault: { answeredAfterMs: 4_000 } },
];
const GOOD = { name: 'good', weight: 80, fault: null };

/** What comes of a call that begins a prediction; null: nothing bad. */
export function drawFault(random: SeededRandom): { name: string; fault: CallFault } | null {
  const all = [GOOD, ...FAULTS];
  const drawn = random.weightedPick(all, all.map(({ weight }) => weight));
  return drawn === GOOD ? null : drawn;
}
