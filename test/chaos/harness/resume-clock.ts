import { percentile, type Storm } from './storm.js';
import type { Town } from './town.js';

const RESUME_S = 15;

interface Death {
  generationId: string;
  at: number;
}

/** Measures, for each generation whose worker is killed, how long it rests until another goes on with it. */
export class ResumeClock {
  private readonly deaths: Death[] = [];

  constructor(private readonly town: Town) {}

  /** To be called just before the worker with this pid is killed. */
  async kills(pid: number): Promise<void> {
    const rows = await this.town.query<{ id: string }>(
      `select id from generation where status = 'processing' and leased_by like $1`,
      [`%-${pid}-%`],
    );
    const at = Date.now();
    this.deaths.push(...rows.map(({ id }) => ({ generationId: id, at })));
  }

  /** Tells the figures once everything has ended. */
  async tell(storm: Storm): Promise<void> {
    const resumed = await this.waitsFor('generation_resumed');
    const found = await this.waitsFor('generation_waiting');
    storm.did('generations resumed after a kill', resumed.length);
    storm.mustReach('generations resumed after a kill', storm.sized(100, 5));
    storm.figure('kill to found p99', percentile(found, 0.99), 's');
    storm.figure('kill to resume p50', percentile(resumed, 0.5), 's');
    storm.figure('kill to resume p99', percentile(resumed, 0.99), 's', storm.sized(RESUME_S, null));
  }

  /** Seconds from each kill to the generation's next event of that type; none where it ended just before. */
  private async waitsFor(type: string): Promise<number[]> {
    const rows = await this.town.query<{ wait: number | null }>(
      `select min(extract(epoch from h.at) - d.at / 1000)::float8 as wait
         from jsonb_to_recordset($1::jsonb) as d ("generationId" uuid, at float8)
         join generation g on g.id = d."generationId"
         join job_history h on h.job_id = g.job_id and h.data ->> 'generation_id' = g.id::text and h.type = $2
          and h.at > to_timestamp(d.at / 1000)
        group by d."generationId", d.at`,
      [JSON.stringify(this.deaths), type],
    );
    return rows.map(({ wait }) => wait).filter((wait): wait is number => wait !== null);
  }
}
