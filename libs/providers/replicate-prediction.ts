import { isDeepStrictEqual } from 'node:util';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { anyUrl, ProviderError, type Prediction, type PredictionRequest, type PredictionState } from './provider.js';

/** `aborted`: its time was over before it began. What is not here is a state of days to come. */
const STATES: Readonly<Record<string, PredictionState>> = {
  starting: 'starting', processing: 'processing', succeeded: 'succeeded', failed: 'failed', canceled: 'canceled',
  aborted: 'canceled',
};
/** As tqdm writes it: ` 45%|████▌     | 9/20 [00:01<00:02]`. */
const PROGRESS = /(\d{1,3})%\s?\|/g;
const LOG_TAIL = 2_000;
/** How much the deadline may miss the lifetime that was asked for. */
const DEADLINE_TOLERANCE_MS = 1_000;
/** Without a mark, what was made longer ago than this is not taken for the one that was lost. */
const UNMARKED_MS = 10 * 60_000;

/** Reads a prediction as Replicate writes it, in answers and webhooks. Throws `ProviderError`. */
export function readPrediction(value: Json | undefined): Prediction {
  const { id, status, output, data_removed, logs, version } = membersOf(value);
  if (typeof id !== 'string' || !/^[\w-]{1,64}$/.test(id) || typeof status !== 'string') {
    throw new ProviderError('answer', 'Replicate gave no prediction');
  }
  return {
    id,
    state: Object.hasOwn(STATES, status) ? (STATES[status] as PredictionState) : 'processing',
    output: output ?? null,
    isRemoved: data_removed === true,
    progress: typeof logs === 'string' ? progressIn(logs) : null,
    version: typeof version === 'string' && /^[\w.:/-]{1,200}$/.test(version) ? version : null,
  };
}

export const membersOf = (value: Json | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};

function progressIn(logs: string): number | null {
  const last = [...logs.slice(-LOG_TAIL).matchAll(PROGRESS)].at(-1);
  return last ? Math.min(1, Number(last[1]) / 100) : null;
}

/** What tells our predictions apart in a list: the webhook's URL, and how long they may live. */
export interface Mark {
  webhook: string | undefined;
  lifetimeSeconds: number;
}

/** `marked`: nobody else's. `alike`: made of the same, lately, and nothing tells whose. */
export type Likeness = 'marked' | 'alike' | 'other';

/** Whether a listed prediction is the one that a lost request has started. */
export function likenessOf(listed: Json, request: PredictionRequest, mark: Mark, now: number): Likeness {
  const { model, version, input, webhook, deadline, created_at } = membersOf(listed);
  if (typeof webhook === 'string' && mark.webhook !== undefined) return webhook === mark.webhook ? 'marked' : 'other';
  if (!isOf(request.model, model, version) || !isMadeOf(input, request.input)) return 'other';
  const created = typeof created_at === 'string' ? Date.parse(created_at) : NaN;
  if (typeof deadline === 'string') {
    const missed = Math.abs(Date.parse(deadline) - created - mark.lifetimeSeconds * 1000);
    return missed < DEADLINE_TOLERANCE_MS ? 'marked' : 'other';
  }
  return now - created < UNMARKED_MS ? 'alike' : 'other';
}

/** `version` of what ran an official model is "hidden". */
function isOf(asked: string, model: Json | undefined, version: Json | undefined): boolean {
  const [name, id] = asked.includes('/') ? asked.split(':') : [undefined, asked];
  return (name === undefined || name === model) && (id === undefined || id === version || version === 'hidden');
}

/** Equal but for files, whose URLs were made for that attempt alone. */
function isMadeOf(listed: Json | undefined, asked: Json | undefined): boolean {
  if (asked === anyUrl) return typeof listed === 'string';
  if (typeof asked !== 'object' || asked === null) return isDeepStrictEqual(listed, asked);
  if (typeof listed !== 'object' || listed === null || Array.isArray(listed) !== Array.isArray(asked)) return false;
  const [theirs, ours] = [listed as JsonObject, asked as JsonObject];
  const names = Object.keys(ours);
  return names.length === Object.keys(theirs).length && names.every((name) => isMadeOf(theirs[name], ours[name]));
}
