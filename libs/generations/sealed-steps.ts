import type { CollectionSeal, Opener } from '#libs/encryption/collection-seal.js';
import { FETCHED, FILES, MADE, openedSet, VALUES } from '#libs/encryption/sealed-set.js';
import type { FetchedFile, Trait } from '#libs/nodes/node.js';
import type { FinishedStep, StepOutput, StepStart, StepWaiting } from '#libs/engine/generation-store.js';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { AttemptRow, ClaimedRow } from './generation-state.js';
import type { Making } from './making.js';

/*
 * What the engine writes of an encrypted collection, and reads again: rows hold it sealed. Without a seal all is
 * written as it is. In the clear stays what the database decides by: ids, states, counts, times and error codes.
 */

type Seal = CollectionSeal | null | undefined;
type Given = Pick<FinishedStep, 'output' | 'logs'>;

const REFERENCE = 'reference';

const outputOf = (generationId: string, stepId: string): string => `output/${generationId}/${stepId}`;
const logsOf = (generationId: string, stepId: string): string => `logs/${generationId}/${stepId}`;

export const storedValues = (seal: Seal, values: JsonObject): JsonObject => (seal ? seal.close(values, VALUES) : values);

export const storedTraits = (seal: Seal, traits: Trait[]): Trait[] => (seal ? seal.closeTraits(traits) : traits);

export const storedFetched = (seal: Seal, fetched: FetchedFile[]): unknown =>
  seal ? seal.close(fetched as unknown as Json, FETCHED) : fetched;

export const storedMaking = (seal: Seal, made: Making): unknown =>
  seal ? seal.close(made as unknown as Json, MADE) : made;

/** A finished attempt. */
export const storedResult = (seal: Seal, generationId: string, { attempt, output, logs }: FinishedStep): object => ({
  id: attempt.id, ...storedOutput(seal, generationId, attempt.stepId, { output, logs }),
});

/** Each member of an output by itself, so that one can be had without the others. */
function storedOutput(seal: Seal, generationId: string, stepId: string, given: Given): Given {
  if (!seal) return given;
  const place = outputOf(generationId, stepId);
  const members = Object.entries(given.output).map(([name, value]) => [name, seal.close(value as unknown as Json, place)]);
  return {
    output: Object.fromEntries(members) as StepOutput,
    logs: storedLogs(seal, generationId, stepId, given.logs) as string[],
  };
}

/** A list again, so that more can be appended to it. */
export const storedLogs = (seal: Seal, generationId: string, stepId: string, logs: string[]): unknown[] =>
  seal && logs.length > 0 ? [seal.close(logs, logsOf(generationId, stepId))] : logs;

/** A digest of a step's input could be compared with that of a guess. */
export function storedStart(seal: Seal, generationId: string, start: StepStart): StepStart {
  if (!seal) return start;
  const { stepId, alias, result } = start;
  return {
    ...start,
    alias: alias && seal.closeName(alias),
    inputDigest: null,
    ...(result && { result: storedOutput(seal, generationId, stepId, result) }),
  };
}

/** A provider's webhook is found by its prediction. */
export function storedWaiting(seal: Seal, generationId: string, stepId: string, waiting: StepWaiting): StepWaiting {
  if (!seal) return waiting;
  const { prediction } = Object(waiting.reference) as { prediction?: Json };
  return {
    ...waiting,
    reference: { ...(prediction !== undefined && { prediction }), ...seal.close(waiting.reference, REFERENCE) },
    logs: storedLogs(seal, generationId, stepId, waiting.logs) as string[],
  };
}

export const openedLogs = (opener: Opener, generationId: string, stepId: string, logs: unknown[]): string[] =>
  logs.flatMap((line) => (typeof line === 'string' ? line : ((opener.open(line as Json, logsOf(generationId, stepId)) ?? []) as string[])));

export const openedValue = (opener: Opener, generationId: string, stepId: string, value: Json): Json =>
  opener.open(value, outputOf(generationId, stepId));

/** `files` of a job's options: which of the submitted texts may name files. */
export const storedFiles = (seal: Seal, files: string[]): unknown => (seal ? seal.close(files, FILES) : files);

/** A claimed generation as it was before it was sealed. */
export function openedClaim(seal: CollectionSeal, row: ClaimedRow): ClaimedRow {
  return {
    ...row,
    instruction_set: openedSet(seal, row.instruction_set),
    files: row.files && (seal.open(row.files as unknown as Json, FILES) as string[]),
    attempts: row.attempts && row.attempts.map((attempt) => openedAttempt(seal, row.id, attempt)),
  };
}

function openedAttempt(seal: CollectionSeal, generationId: string, row: AttemptRow): AttemptRow {
  const place = outputOf(generationId, String(row.step_id));
  const members = Object.entries(row.output ?? {}).map(([name, sealed]) => [name, seal.open(sealed as unknown as Json, place)]);
  return {
    ...row,
    reference: openedReference(seal, row.reference),
    output: row.output && (Object.fromEntries(members) as StepOutput),
  };
}

export const openedReference = (opener: Opener, reference: Json): Json => reference && opener.open(reference, REFERENCE);
