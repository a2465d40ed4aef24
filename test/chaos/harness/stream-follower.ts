import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../../e2e/client.js';
import type { Api } from '../../e2e/processes.js';
import type { EventReader } from '../../setup/event-source.js';
import type { Storm } from './storm.js';

const FINAL = new Set(['job_completed', 'job_failed', 'job_cancelled']);
const MAX_CUTS = 10;
const LOOK_MS = 5;
const RETRY_MS = 50;
const PATIENCE_MS = 120_000;
const UNCUT = { events: Infinity, ms: PATIENCE_MS };

/**
 * A client of one job's stream that loses its connection 1 to 10 times, and whatever the others do to it,
 * and comes back at either API with the id of the last event it saw.
 */
export class StreamFollower {
  private readonly ids: number[] = [];
  /** Of the last event before the first one it was told of. */
  private begin = 0;
  private position: number | undefined;
  private cutsLeft: number;

  constructor(
    private readonly storm: Storm,
    private readonly client: Client,
    private readonly apis: readonly Api[],
    private readonly jobId: string,
  ) {
    this.cutsLeft = this.random.integer(1, MAX_CUTS);
    // One half begins with the whole history, the other one with a snapshot.
    if (this.random.number() < 0.5) this.position = 0;
  }

  /** Until the job's last event was seen, or said to have been. */
  async follow(): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (Date.now() < deadline) {
      const reader = await this.open();
      if (!reader) await delay(RETRY_MS);
      else if (reader.status === 204 || (await this.read(reader))) return;
    }
    this.storm.fault(`A stream of job ${this.jobId} did not end`);
  }

  /** `last` is the number of the job's events. */
  judge(last: number): void {
    const expected = Array.from({ length: last - this.begin }, (_, index) => this.begin + 1 + index);
    if (this.ids.join() === expected.join()) this.storm.did('streams whole');
    else this.storm.fault(`A stream of job ${this.jobId} told ${this.ids.join()}, not ${expected.join()}`);
  }

  private get random() {
    return this.storm.random('streams');
  }

  private async open(): Promise<EventReader | null> {
    const api = this.random.pick(this.apis);
    const path = `/jobs/${this.jobId}/events`;
    const reader = await this.client.at(api).events(path, this.position).catch(() => null);
    if (!reader) return null;
    if (reader.status === 200 || reader.status === 204) return reader;
    this.storm.did(`streams answered ${reader.status}`);
    if (reader.status !== 503) this.storm.fault(`A stream was answered ${reader.status}`);
    return null;
  }

  /** Reads until the next cut. True: the last event has come. */
  private async read(reader: EventReader): Promise<boolean> {
    const cut = this.cutsLeft > 0 ? { events: this.random.integer(1, 6), ms: this.random.integer(0, 1_500) } : UNCUT;
    const until = Date.now() + cut.ms;
    while (!reader.ended && Date.now() < until && reader.ids.length < cut.events) await delay(LOOK_MS);
    const endedThere = reader.ended;
    reader.close();
    this.remember(reader);
    if (FINAL.has(reader.received.at(-1)?.event ?? '')) return true;
    this.storm.did(endedThere ? 'cuts from the other side' : 'cuts by clients');
    if (!endedThere) this.cutsLeft -= 1;
    return false;
  }

  private remember({ received, ids }: EventReader): void {
    const [first] = received;
    if (this.position === undefined && first?.event === 'snapshot') {
      this.begin = Number(first.id);
      this.position = this.begin;
    }
    this.ids.push(...ids);
    this.position = this.ids.at(-1) ?? this.position;
  }
}
