import type { Json } from '#libs/instruction-set/instruction-set.js';

/** In headers and in the mapping: where the result is to be sent. */
export const WEBHOOK_URL = 'webhook_url';

const SECRET = /\{\{\s*([A-Za-z_][A-Za-z0-9_-]{0,99})\s*\}\}/g;
const PARAMETER = /(?<!\{)\{([A-Za-z_][A-Za-z0-9_]*)\}(?!\})/g;
/** A host that stands there, so that nothing an answer says can move it. */
const LITERAL_HTTPS = /^https:\/\/[^/?#{}@\s]+([/?#]|$)/i;

const namesIn = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, name]) => name as string);

/** Whether a text names secrets, well or badly. */
export const hasBraces = (text: string): boolean => text.includes('{{');

/** The secrets that headers name, each once. */
export const secretsIn = (headers: Record<string, string>): string[] => [
  ...new Set(Object.values(headers).flatMap((value) => namesIn(value, SECRET)).filter((name) => name !== WEBHOOK_URL)),
];

/** Whether every `{{` of a header's value begins a name. */
export const isFillable = (value: string): boolean => !hasBraces(value.replace(SECRET, ''));

export const fillHeaders = (
  headers: Record<string, string>,
  values: ReadonlyMap<string, string>,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name, value.replace(SECRET, (_whole, key: string) => values.get(key) ?? ''),
    ]),
  );

export const parametersIn = (url: string): string[] => namesIn(url, PARAMETER);

export const isLiteralHttps = (url: string): boolean => LITERAL_HTTPS.test(url);

/**
 * The URL with its parameters in place, as parts of a path or a query. One at the very beginning is the URL
 * itself, as services give it. Undefined: a parameter is no text and no number, or would lead elsewhere.
 */
export function fillUrl(template: string, parameters: ReadonlyMap<string, Json | undefined>): string | undefined {
  let isSound = true;
  const url = template.replace(PARAMETER, (_whole, name: string, place: number) => {
    const value = parameters.get(name);
    if ((typeof value !== 'string' && typeof value !== 'number') || value === '') isSound = false;
    if (place === 0) return String(value);
    if (value === '.' || value === '..') isSound = false;
    return encodeURIComponent(String(value));
  });
  return isSound ? url : undefined;
}
