import { withoutComments } from './comments.js';

/** When a sketch's picture is taken: at its own call, when p5 stops looping, or after the first frame. */
export type CaptureRule = 'capture' | 'noLoop' | 'firstFrame';

const CALLS = /(?:(?<![\w$.])(?:(?:window|globalThis|self)\.)?(capture|fxpreview)|\$fx\.preview)\s*\(/g;
const OWN_FUNCTION = /function\s+$/;
/** How far before a name `function` may stand. To look through all that stands before takes quadratic time. */
const LOOK_BACK = 100;
const NO_LOOP = /(?<![\w$])noLoop\s*\(/;

/**
 * Goes by what the code names, comments aside: `capture(`, `fxpreview(` and `$fx.preview(` before `noLoop(`.
 * A `capture` that the sketch defines itself is not ours.
 */
export function captureRule(code: string): CaptureRule {
  const text = withoutComments(code);
  const calls = [...text.matchAll(CALLS)].map((call) => ({
    name: call[1] ?? '$fx.preview',
    defines: OWN_FUNCTION.test(text.slice(Math.max(0, call.index - LOOK_BACK), call.index)),
  }));
  const own = new Set(calls.filter((call) => call.defines).map((call) => call.name));
  if (calls.some((call) => !own.has(call.name))) return 'capture';
  return NO_LOOP.test(text) ? 'noLoop' : 'firstFrame';
}

/** Whether a p5 sketch makes its canvas itself, or leaves that to the default. */
export const createsCanvas = (code: string): boolean => /(?<![\w$])createCanvas\s*\(/.test(withoutComments(code));
