import type { FastifyInstance } from 'fastify';
import type { FieldFault } from '#libs/errors/app-error.js';
import { fieldError, validationError } from '#libs/errors/errors.js';

const DEPTH = 64;
/** Faults of one body that are told at most. */
const FAULTS = 20;
const LONGEST_PATH = 200;
/** U+0000 (no text of Postgres holds it) and lone surrogates (no UTF-8 says them). */
const UNSTORABLE = /[\0\p{Cs}]/u;

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses a JSON body and refuses, by path, what would break further in: deep nesting, text that cannot
 * be stored, numbers that are not finite, keys that reach for a prototype. An empty body is `undefined`.
 */
export function parseJsonBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  const body = parse(bytes);
  const faults: FieldFault[] = [];
  inspect(body, [], faults);
  if (faults.length > 0) throw validationError(faults);
  return body;
}

/** Takes JSON bodies only; any other type but those that plugins add answers 415. */
export function acceptJsonBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, bytes, done) => {
    try {
      done(null, parseJsonBody(bytes as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    throw fieldError('body', 'is not valid JSON');
  }
}

function inspect(value: unknown, path: string[], faults: FieldFault[]): void {
  if (faults.length >= FAULTS) return;
  if (typeof value === 'string') return inspectText(value, path, faults);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) faults.push(fault(path, 'must be a finite number'));
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (path.length >= DEPTH) {
    faults.push(fault(path, `is nested deeper than ${DEPTH} levels`));
    return;
  }
  for (const [key, below] of Object.entries(value)) inspectEntry(key, below, path, faults);
}

function inspectEntry(key: string, value: unknown, path: string[], faults: FieldFault[]): void {
  if (UNSTORABLE.test(key)) {
    faults.push(fault(path, 'has a field whose name holds U+0000 or a lone surrogate'));
  } else if (reachesPrototype(key, value)) {
    faults.push(fault([...path, key], 'is not an allowed field name'));
  } else {
    inspect(value, [...path, key], faults);
  }
}

function inspectText(text: string, path: string[], faults: FieldFault[]): void {
  if (UNSTORABLE.test(text)) faults.push(fault(path, 'must not hold U+0000 or a lone surrogate'));
}

const reachesPrototype = (key: string, value: unknown) =>
  key === '__proto__' ||
  (key === 'constructor' && typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype'));

const fault = (path: string[], message: string): FieldFault => ({
  field: path.join('.').slice(0, LONGEST_PATH) || 'body',
  message,
});
