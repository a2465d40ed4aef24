import { isObject } from './graph.js';
import type { ServerHttp } from './server-http.js';

/** What a server can do, by what it says. */
export interface ServerFeatures {
  /** `0.33.0`; null where it does not say. */
  version: string | null;
  /** What stands before each route: newer servers want `/api` there. */
  prefix: '' | '/api';
  /** Whether one job can be asked after alone. Since December 2025. */
  hasJobs: boolean;
  /** Bytes of one upload at most; null where it does not say. */
  maxUploadBytes: number | null;
}

/** Asks a server once for all that differs between the versions. Throws `ServerUnreachable`. */
export async function detectFeatures(http: ServerHttp): Promise<ServerFeatures> {
  const below = await http.get('/api/system_stats');
  const prefix = below === null ? '' : '/api';
  const stats = below ?? (await http.get('/system_stats'));
  const [features, jobs] = await Promise.all([http.get(`${prefix}/features`), http.get('/api/jobs?limit=1')]);
  const { comfyui_version: version } = Object(Object(stats).system) as { comfyui_version?: unknown };
  const { max_upload_size: maxUpload } = Object(features) as { max_upload_size?: unknown };
  return {
    version: typeof version === 'string' ? version : null,
    prefix,
    hasJobs: isObject(jobs) && Array.isArray(jobs['jobs']),
    maxUploadBytes: typeof maxUpload === 'number' ? maxUpload : null,
  };
}
