import { useEffect, useState } from 'preact/hooks';
import { readHistory } from '../api/platen.js';
import type { JobEvent } from '../api/shapes.js';
import { timeText } from '../elements/amounts.js';
import type { FollowedJob } from './followed-job.js';

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
/** Of those that happened before the page was opened. */
const MOST_EVENTS = 500;

/** Everything that happened to a job, in order; what happens meanwhile comes at the end. */
export function EventLog({ jobId, live }: { jobId: string; live: FollowedJob }) {
  const [before, setBefore] = useState<JobEvent[]>([]);
  useEffect(() => {
    let isWanted = true;
    void readBeginning(jobId).then((events) => isWanted && setBefore(events)).catch(() => undefined);
    return () => {
      isWanted = false;
    };
  }, [jobId]);
  const events = merged(before, live.events.value);
  return (
    <section>
      <h2>Events</h2>
      <ol class="events" tabIndex={0} aria-label="Events">
        {events.map((event) => (
          <li key={event.seq} value={event.seq}>
            <time dateTime={event.at} title={timeText(event.at)}>{CLOCK.format(new Date(event.at))}</time>
            <span>{wordsOf(event)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** The first few hundred. */
async function readBeginning(jobId: string): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for await (const event of readHistory(jobId)) if (events.push(event) >= MOST_EVENTS) break;
  return events;
}

/** Each number once. */
export function merged(history: JobEvent[], live: JobEvent[]): JobEvent[] {
  const bySeq = new Map([...history, ...live].map((event) => [event.seq ?? 0, event]));
  return [...bySeq.values()].sort((one, other) => (one.seq ?? 0) - (other.seq ?? 0));
}

/** `node_completed` of edition 2 as `Edition 2: node completed (art)`. */
function wordsOf({ type, generation_index: index, alias, node, error, message }: JobEvent): string {
  const step = alias ?? node;
  const what = `${type.replaceAll('_', ' ')}${step ? ` (${step})` : ''}`;
  const subject = index === undefined ? [] : [`Edition ${index + 1}`];
  return [...subject, what, error?.message ?? message ?? ''].filter(Boolean).join(': ');
}
