import type { Database } from '#libs/database/database.js';
import type { Prunable } from './prunable.js';

/** Rows looked at by one statement: so much a sweep costs, however many there are. */
const PAGE = 1_000;

interface OldRow {
  id: string;
  weight: number;
}

/** A page of rows: those that may go, and the last one looked at; null: there are no more. */
interface Page {
  old: OldRow[];
  last: string | null;
}

export interface Pruned {
  name: string;
  rows: number;
}

/** Removes what is older than it is to be kept, a little at a time. */
export class Pruning {
  /** Where the next sweep goes on, by name. Lost with the process: then it begins anew. */
  private readonly places = new Map<string, string>();

  constructor(
    private readonly database: Database,
    private readonly kinds: Prunable[],
  ) {}

  /** Looks at one page of each kind. Any number of processes may. */
  async sweep(): Promise<Pruned[]> {
    const pruned: Pruned[] = [];
    for (const kind of this.kinds.filter(({ keepDays }) => keepDays !== undefined)) {
      const page = await this.page(kind, this.places.get(kind.name) ?? kind.firstId);
      const goes = batchOf(page.old, kind.atOnce);
      const isCut = goes.length < page.old.length;
      this.places.set(kind.name, (isCut ? goes.at(-1) : page.last) ?? kind.firstId);
      pruned.push({ name: kind.name, rows: await this.remove(kind, goes) });
    }
    return pruned;
  }

  /** Looks at all there is. With `dry` it only counts what would go. */
  async all({ dry }: { dry: boolean }): Promise<Pruned[]> {
    const pruned: Pruned[] = [];
    for (const kind of this.kinds) {
      const rows = kind.keepDays === undefined ? 0 : await this.allOf(kind, dry);
      pruned.push({ name: kind.name, rows });
    }
    return pruned;
  }

  private async allOf(kind: Prunable, dry: boolean): Promise<number> {
    let rows = 0;
    for (let place: string | null = kind.firstId; place !== null; ) {
      const { old, last }: Page = await this.page(kind, place);
      rows += dry ? old.length : await this.removeAll(kind, old);
      place = last;
    }
    return rows;
  }

  private async removeAll(kind: Prunable, old: OldRow[]): Promise<number> {
    let rows = 0;
    for (let rest = old; rest.length > 0; ) {
      const ids = batchOf(rest, kind.atOnce);
      rows += await this.remove(kind, ids);
      rest = rest.slice(ids.length);
    }
    return rows;
  }

  private async page({ table, idType, isOld, weight = '1', keepDays }: Prunable, after: string): Promise<Page> {
    const rows = await this.database.query<OldRow & { old: boolean | null }>(
      `select r.id, ${weight} as weight, ${isOld} as old
         from (select * from ${table} where id > $2::${idType} order by id limit $3) as r order by r.id`,
      [keepDays, after, PAGE],
    );
    return { old: rows.filter(({ old }) => old), last: rows.length < PAGE ? null : (rows.at(-1)?.id ?? null) };
  }

  /** What is not old any more by then stays: a job may have been resumed. */
  private async remove({ table, idType, isOld, keepDays }: Prunable, ids: string[]): Promise<number> {
    if (ids.length === 0) return 0;
    const gone = await this.database.change(
      `delete from ${table} r where r.id = any($2::${idType}[]) and ${isOld} returning 1`,
      [keepDays, ids],
    );
    return gone.length;
  }
}

/** Ids of the first rows, as many as one statement takes. */
function batchOf(rows: OldRow[], atOnce: number): string[] {
  let weight = 0;
  const end = rows.findIndex((row, index) => (weight += row.weight) > atOnce && index > 0);
  return (end === -1 ? rows : rows.slice(0, end)).map(({ id }) => id);
}
