import { captureRule, createsCanvas } from './capture-rule.js';
import { withoutComments } from './comments.js';
import { adoptLibraries, sketchScripts } from './index-html.js';

const LENGTH = 500_000;
const LIMIT_MS = 10_000;
const filled = (part: string) => part.repeat(Math.ceil(LENGTH / part.length));

/** The best of three runs: others use the machine meanwhile. */
function millisecondsFor(work: () => unknown): number {
  const runs = [1, 2, 3].map(() => {
    const started = performance.now();
    work();
    return performance.now() - started;
  });
  return Math.min(...runs);
}

describe('half a megabyte that is written to take long', () => {
  it.each([
    '\'"\\', '"\\', "'\\\\\\'", '`\\', '<!--', '<!-- ', '/*', '/*/', '//', 'capture(', 'function capture(', 'capture ',
    'function ', ' ', 'noLoop ', 'createCanvas ', 'window.', '`"', '"\n\'',
  ])('does not as code of %j', (part) => {
    expect(millisecondsFor(() => captureRule(filled(part)))).toBeLessThan(LIMIT_MS);
    expect(millisecondsFor(() => createsCanvas(filled(part)))).toBeLessThan(LIMIT_MS);
  });

  it.each([
    '<script', '<script ', '<script id=', '<script id=fxhash-snippet ', '<script id="fxhash-snippet">', '<script>',
    '<head ', '<html ', '<!doctype ', '<head>', '</script',
  ])('does not as a page of %j', (part) => {
    expect(millisecondsFor(() => sketchScripts(filled(part)))).toBeLessThan(LIMIT_MS);
    expect(millisecondsFor(() => adoptLibraries({ 'index.html': filled(part) }))).toBeLessThan(LIMIT_MS);
  });

  it.each(['?', '?\n', './', ' src=', ' src', ' integrity=" ', ' integrity', '@', ' '])(
    'does not within a script tag of %j',
    (part) => {
      for (const tag of [`<script src="${filled(part)}\nx">`, `<script src="https://x/p5@1?" ${filled(part)}>`]) {
        expect(millisecondsFor(() => adoptLibraries({ 'index.html': tag }))).toBeLessThan(LIMIT_MS);
      }
    },
  );
});

describe('withoutComments', () => {
  it.each([
    ['a // b\nc', 'a \nc'],
    ['a /* b\n*/ c', 'a  c'],
    ['a <!-- b --> c', 'a  c'],
    ['"// \\" /*" // c', '"// \\" /*" '],
    ['`\n// ${a}` /* b */', '`\n// ${a}` '],
    ["don't // b", "don't "],
    ['/["\']/.test(a) // b', '/["\']/.test(a) '],
    ['a /* b', 'a /* b'],
    ['/*/ a */ b', ' b'],
    ["'a\n'//b'", "'a\n'//b'"],
  ])('%j: %j', (code, text) => expect(withoutComments(code)).toBe(text));
});

describe('sketchScripts', () => {
  it('leaves out the snippet of fxhash, which calls fxpreview itself', () => {
    const page = '<script ID = "fxhash-snippet">\nfxpreview()</SCRIPT><script>a</script><script id=fxhash-snippet>';
    expect(sketchScripts(page)).toBe('<script>a</script><script id=fxhash-snippet>');
  });
});
