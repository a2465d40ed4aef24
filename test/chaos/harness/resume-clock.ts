import { percentile, type Storm } from './storm.js';
import type { Town } from './town.js';

const RESUME_S = 15;

interface Death {
  generationId: string;
  at: number;
}

/** Measures, for each generation whose worker dies, how long it rests until another goes on with it. */
export class ResumeClock {
  private readonly deaths: Death[] = [];

  constructor(private readonly town: Town) {}

  /** To be called as soon as the worker with this pid has died. */
  async died(pid: number): Promise<void> {
    const at = Date.now();
    const rows = await this.town.query<{ id: string }>(
      `select id from generation where status in ('pending', 'processing') and leased_by like $1`,
      [`%-${pid}-%`],
    );
    this.deaths.push(...rows.map(({ id }) => ({ generationId: id, at })));
  }

  /** Tells the figures once everything has ended. */
  async tell(storm: Storm): Promise<void> {
    const resumed = await this.waitsFor('generation_resumed', 'generation_started');
    const found = await this.waitsFor('generation_waiting');
    storm.did('generations resumed after a kill', resumed.length);
    storm.mustReach('generations resumed after a kill', storm.sized(100, 5));
    storm.figure('kill to found p99', percentile(found, 0.99), 's');
    storm.figure('kill to resume p50', percentile(resumed, 0.5), 's');
    storm.figure('kill to resume p99', percentile(resumed, 0.99), 's', storm.sized(RESUME_S, null));
  }

  /**
   * Seconds from each death to the generation's next event of those types; none where it ended just before, or
   * where who was to go on with it died, too: that death counts instead.
   */
  private async waitsFor(...types: string[]): Promise<number[]> {
    const rows = await this.town.query<{ wait: number }>(
      `with death as (
         select d."generationId" as id, to_timestamp(d.at / 1000) as at
           from jsonb_to_recordset($1::jsonb) as d ("generationId" uuid, at float8)
       )
       select extract(epoch from next.at - d.at)::float8 as wait
         from death d join generation g using (id)
         cross join lateral (
           select min(h.at) as at from job_history h
            where h.job_id = g.job_id and h.data ->> 'generation_id' = g.id::text and h.type = any($2) and h.at > d.at
         ) as next
        where next.at is not null
          and not exists (select from death later where later.id = d.id and later.at > d.at and later.at < next.at)`,
      [JSON.stringify(this.deaths), types],
    );
    return rows.map(({ wait }) => wait);
  }
}
