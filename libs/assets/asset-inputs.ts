import type { Queryable } from '#libs/database/database.js';
import type { AssetLookup } from '#libs/engine/generation-store.js';
import type { AssetHandle } from '#libs/nodes/node.js';
import { ASSET_COLUMNS, handleOf, hasOpenBytes, type AssetRow } from './asset-row.js';

/** Files that payloads name themselves: an asset's id, or its `/files` URL (a signature in it is not looked at). */
export class AssetInputs implements AssetLookup {
  constructor(
    private readonly db: Queryable,
    private readonly publicUrl: string = '',
  ) {}

  /** One's own assets and public ones, and renders by their key; what is neither is left out. */
  async find(userId: string, references: string[]): Promise<Map<string, AssetHandle>> {
    const ids = references.filter((reference) => /^\d{1,18}$/.test(reference));
    const keys = references.map((reference) => this.keyOf(reference)).filter((key) => key !== null);
    const rows = await this.db.query<AssetRow>(
      `select ${ASSET_COLUMNS} from flat_file f
        where (f.id = any($1::bigint[]) or f.storage_key = any($2)) and f.shown and f.deleted_at is null`,
      [ids, keys],
    );
    const isVisible = (row: AssetRow) => row.is_public || row.user_id === userId;
    return new Map(
      references.flatMap((reference) => {
        const key = this.keyOf(reference);
        const row = rows.find((each) =>
          key === null ? each.id === reference && isVisible(each) : each.storage_key === key && (hasOpenBytes(each) || isVisible(each)));
        return row ? [[reference, handleOf(row)]] : [];
      }),
    );
  }

  private keyOf(reference: string): string | null {
    const path = reference.startsWith(`${this.publicUrl}/files/`) ? reference.slice(this.publicUrl.length) : reference;
    return path.startsWith('/files/') ? (path.slice('/files/'.length).split('?')[0] ?? null) : null;
  }
}
