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

  /** Tells the figure once everything has ended. */
  async tell(storm: Storm): Promise<void> {
    const waits = await Promise.all(this.deaths.map((death) => this.waitAfter(death)));
    const known = waits.filter((wait): wait is number => wait !== null);
    storm.did('generations resumed after a kill', known.length);
    storm.mustReach('generations resumed after a kill', storm.sized(100, 5));
    storm.figure('kill to resume p50', percentile(known, 0.5) / 1_000, 's');
    storm.figure('kill to resume p99', percentile(known, 0.99) / 1_000, 's', storm.sized(RESUME_S, null));
  }

  /** Null when it ended just before the kill. */
  private async waitAfter({ generationId, at }: Death): Promise<number | null> {
    const [row] = await this.town.query<{ at: Date }>(
      `select h.at from generation g join job_history h on h.job_id = g.job_id
        where g.id = $1 and h.type = 'generation_resumed' and h.data ->> 'generation_id' = g.id::text
          and h.at > to_timestamp($2::float8 / 1000) order by h.seq limit 1`,
      [generationId, at],
    );
    return row ? row.at.getTime() - at : null;
  }
}
