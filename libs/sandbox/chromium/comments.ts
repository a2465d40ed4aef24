const OPENINGS = /["'`]|\/\/|\/\*|<!--/g;
const CLOSINGS: Record<string, string> = { '/*': '*/', '<!--': '-->' };
const BACKSLASH = 92;
const NEWLINE = 10;

interface Span {
  isComment: boolean;
  end: number;
  /** False when nothing closes it before `end`: then its opening is a character like others. */
  isClosed: boolean;
}

/**
 * JavaScript or HTML without its comments. Strings stay, so that an address in one is not taken for a
 * comment. Takes linear time whatever the text is, for it is a stranger's.
 */
export function withoutComments(code: string): string {
  const kept: string[] = [];
  // An opening without an end proves that no other of its kind ends before there either.
  const unclosedUntil = new Map<string, number>();
  const search = new RegExp(OPENINGS);
  let from = 0;
  for (let found = search.exec(code); found; found = search.exec(code)) {
    const [opening] = found;
    if (found.index < (unclosedUntil.get(opening) ?? 0)) continue;
    const { isComment, end, isClosed } = spanOf(code, found.index, opening);
    if (!isClosed) {
      unclosedUntil.set(opening, end);
      continue;
    }
    if (isComment) {
      kept.push(code.slice(from, found.index));
      from = end;
    }
    search.lastIndex = end;
  }
  return kept.join('') + code.slice(from);
}

function spanOf(code: string, start: number, opening: string): Span {
  if (opening === '//') return { isComment: true, ...ending(code, start, '\n'), isClosed: true };
  const closing = CLOSINGS[opening];
  if (!closing) return { isComment: false, ...endOfString(code, start, opening.charCodeAt(0)) };
  const { end, isClosed } = ending(code, start + opening.length, closing);
  return { isComment: true, end: isClosed ? end + closing.length : end, isClosed };
}

function ending(code: string, from: number, closing: string): Omit<Span, 'isComment'> {
  const end = code.indexOf(closing, from);
  return { end: end < 0 ? code.length : end, isClosed: end >= 0 };
}

/** Only a template may go over several lines. */
function endOfString(code: string, start: number, quote: number): Omit<Span, 'isComment'> {
  const isTemplate = code[start] === '`';
  let at = start + 1;
  while (at < code.length) {
    const character = code.charCodeAt(at);
    if (character === quote) return { end: at + 1, isClosed: true };
    if (character === NEWLINE && !isTemplate) break;
    at += character === BACKSLASH ? 2 : 1;
  }
  return { end: at, isClosed: false };
}
