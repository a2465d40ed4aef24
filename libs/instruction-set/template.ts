/**
 * The `{{…}}` in texts. Inside the braces (spaces around are ignored) stands
 *
 *     name                          a variable
 *     $ref:art                      the primary output of step `art`: its first asset, else its value
 *     $ref:art.assets[0].url        a part of its output
 *     $ref:art:assets[0].url        the same
 *
 * Substitution is one pass, so a literal `{{x}}` is written as a variable whose value is that text.
 */
export type Placeholder =
  | { kind: 'variable'; name: string; source: string }
  | { kind: 'step'; stepId: string; path: string | null; tail: string; source: string };

/** What a step id may be, so that `{{$ref:…}}` can always tell it from the path after it. */
export const STEP_ID = '^(?!\\s)[^.:\\[\\]{}\\u0000-\\u001f]{1,100}(?<!\\s)$';

const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;
const STEP = '$ref:';

/** A text as its literal pieces and its placeholders, in order. */
export function parseTemplate(text: string): Array<string | Placeholder> {
  const parts: Array<string | Placeholder> = [];
  let end = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    if (match.index > end) parts.push(text.slice(end, match.index));
    parts.push(parsePlaceholder(match[0], (match[1] as string).trim()));
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

export const placeholdersOf = (text: string): Placeholder[] =>
  parseTemplate(text).filter((part): part is Placeholder => typeof part !== 'string');

function parsePlaceholder(source: string, inside: string): Placeholder {
  const step = inside.startsWith(STEP) ? splitReference(inside.slice(STEP.length)) : undefined;
  if (!step) return { kind: 'variable', name: inside, source };
  const { stepId, tail } = step;
  return { kind: 'step', stepId, path: tail.replace(/^[.:]/, '') || null, tail, source };
}

/** A step's id and, from its `.`, `:` or `[` on, the path after it. Cut by hand: it takes linear time. */
function splitReference(text: string): { stepId: string; tail: string } | undefined {
  const end = text.search(/[.:[\]]/);
  const stepId = (end < 0 ? text : text.slice(0, end)).trim();
  const tail = end < 0 ? '' : text.slice(end);
  return stepId === '' || tail.startsWith(']') || /[\n\r]/.test(tail) ? undefined : { stepId, tail };
}
