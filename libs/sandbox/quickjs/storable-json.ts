import { ScriptError, type ScriptValue } from '../script-sandbox.js';

const MAX_DEPTH = 64;
/** What Postgres refuses in jsonb: U+0000 and halves of surrogate pairs. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/** A script's JSON text, if all of it can be stored. Throws ScriptError. */
export function readJson(text: string): ScriptValue {
  const value: unknown = JSON.parse(text);
  const fault = faultOf(value, 0);
  if (fault) throw new ScriptError('result', `The result ${fault}`);
  return { kind: 'json', value };
}

/** The text with U+FFFD for what cannot be stored. */
export const storableText = (text: string): string => text.replace(new RegExp(UNSTORABLE, 'gu'), '\ufffd');

function faultOf(value: unknown, depth: number): string | undefined {
  if (typeof value === 'string') {
    return UNSTORABLE.test(value) ? 'contains U+0000 or half a surrogate pair' : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth === MAX_DEPTH) return `is nested more than ${MAX_DEPTH} levels deep`;
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') return 'has a key named __proto__';
    const fault = faultOf(key, depth) ?? faultOf(item, depth + 1);
    if (fault) return fault;
  }
  return undefined;
}
