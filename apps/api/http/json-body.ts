import type { FastifyInstance } from 'fastify';
import type { FieldFault } from '#libs/errors/app-error.js';
import { fieldError, unsupportedMediaType, validationError } from '#libs/errors/errors.js';

const DEPTH = 64;
/** Faults of one body that are told at most. */
const FAULTS = 20;
const LONGEST_PATH = 200;
/** Beyond these, turning a body into its DTO takes seconds, in which this process does nothing else. */
const VALUES = 50_000;
const FIELDS_OF_AN_OBJECT = 10_000;
/** U+0000 (no text of Postgres holds it) and lone surrogates (no UTF-8 says them). */
const UNSTORABLE = /[\0\p{Cs}]/u;

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Parses a JSON body and refuses what `harmlessBody` refuses. An empty body is `undefined`. */
export function parseJsonBody(bytes: Buffer): unknown {
  return bytes.length === 0 ? undefined : harmlessBody(parse(bytes));
}

/**
 * Refuses, by path, what would break further in: deep nesting, text that cannot be stored, numbers that are not
 * finite, keys that reach for a prototype, more values than can be checked at once.
 */
export function harmlessBody(body: unknown): unknown {
  const faults = new Inspection().of(body);
  if (faults.length > 0) throw validationError(faults);
  return body;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is handed on as the bytes that came: a signature over them is checked before they are read. */
    isRaw?: boolean;
    /** A CSV body is taken, too, and handed on as its bytes. */
    takesCsv?: boolean;
  }
}

/** Takes JSON bodies, and CSV where the route does; any other type but those that plugins add answers 415. */
export function acceptJsonBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, ({ routeOptions }, bytes, done) => {
    try {
      done(null, routeOptions.config.isRaw ? bytes : parseJsonBody(bytes as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
  server.addContentTypeParser('text/csv', { parseAs: 'buffer' }, ({ routeOptions }, bytes, done) => {
    if (routeOptions.config.takesCsv) done(null, bytes);
    else done(unsupportedMediaType());
  });
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    throw fieldError('body', 'is not valid JSON');
  }
}

/** One walk through a body. Its path is one list, so that half a million values cost no copies of it. */
class Inspection {
  private readonly path: Array<string | number> = [];
  private readonly faults: FieldFault[] = [];
  private values = 0;

  of(body: unknown): FieldFault[] {
    this.inspect(body);
    if (this.values > VALUES) return [{ field: 'body', message: `has more than ${VALUES} values` }];
    return this.faults;
  }

  private inspect(value: unknown): void {
    this.values++;
    if (this.values > VALUES || this.faults.length >= FAULTS) return;
    if (typeof value === 'string') {
      if (UNSTORABLE.test(value)) this.fault('must not hold U+0000 or a lone surrogate');
    } else if (typeof value === 'number') {
      if (!Number.isFinite(value)) this.fault('must be a finite number');
    } else if (typeof value === 'object' && value !== null) {
      this.inspectMembers(value);
    }
  }

  private inspectMembers(value: object): void {
    if (this.path.length >= DEPTH) return this.fault(`is nested deeper than ${DEPTH} levels`);
    if (Array.isArray(value)) return value.forEach((item, index) => this.inspectMember(index, item));
    const fields = Object.entries(value);
    if (fields.length > FIELDS_OF_AN_OBJECT) return this.fault(`has more than ${FIELDS_OF_AN_OBJECT} fields`);
    for (const [key, field] of fields) this.inspectField(key, field);
  }

  private inspectField(key: string, value: unknown): void {
    if (UNSTORABLE.test(key)) {
      this.fault('has a field whose name holds U+0000 or a lone surrogate');
    } else if (reachesPrototype(key, value)) {
      this.fault('is not an allowed field name', key);
    } else {
      this.inspectMember(key, value);
    }
  }

  private inspectMember(key: string | number, value: unknown): void {
    this.path.push(key);
    this.inspect(value);
    this.path.pop();
  }

  private fault(message: string, ...below: string[]): void {
    const field = [...this.path, ...below].join('.').slice(0, LONGEST_PATH) || 'body';
    this.faults.push({ field, message });
  }
}

const reachesPrototype = (key: string, value: unknown) =>
  key === '__proto__' ||
  (key === 'constructor' && typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype'));
