/** A file: made by a generation, or uploaded. */
export class Asset {
  /** Decimal. */
  id: string;
  /** Works in an `<img>`: open where the collection is published, else signed, for one to two hours. */
  url: string;
  /** WebP of 512 pixels; with 256 or 1024 in its place, of those. Null until it is made, and for what is no picture. */
  thumbnail_url: string | null;
  name: string;
  /** By the bytes. */
  mime_type: string;
  /** Bytes. */
  size: number;
  sha256: string;
  width: number | null;
  height: number | null;
  /** Seconds. */
  duration: number | null;
  /** The step that made it; null for an upload. */
  step_id: string | null;
}

export class AssetDetail extends Asset {
  /** A set that makes this file again. Null for uploads, and for strangers unless it may be remixed. */
  gen_in_data: Record<string, unknown> | null;
  /**
   * Hash, variables and traits of its edition. Null as `gen_in_data`. `made`, to its owner: what each step was made
   * of and with; `GET /assets/:id/provenance` tells it in order.
   */
  gen_out_data: Record<string, unknown> | null;
  job_id: string | null;
  generation_id: string | null;
}
