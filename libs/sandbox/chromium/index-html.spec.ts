import { adoptLibraries, isLibraryFile } from './index-html.js';
import { EDITION_SCRIPT } from './page-runtime.js';

const scriptsOf = (html: string, files: Record<string, string> = {}) =>
  [...adoptLibraries({ ...files, 'index.html': html }).matchAll(/<script[^>]*src[^>]*>/g)].map(([tag]) => tag).slice(1);

describe('adoptLibraries', () => {
  it.each([
    'https://cdnjs.cloudflare.com/ajax/libs/p5.js/1.4.0/p5.min.js',
    '//cdn.jsdelivr.net/npm/p5@1.11.13/lib/p5.js',
    'https://unpkg.com/p5@^1.9.0',
    'https://unpkg.com/p5',
    'p5.min.js',
    './libraries/p5.js?v=3',
  ])('serves our p5 for %s', (address) => {
    expect(scriptsOf(`<head><script src="${address}"></script></head>`)).toEqual(['<script src="/.platen/p5.js">']);
  });

  it('drops the digest of the copy that is not served', () => {
    const source = 'https://unpkg.com/p5/lib/p5.sound.min.js';
    const tag = `<script defer src='${source}' integrity="sha512-x" crossorigin='anonymous'></script>`;
    expect(scriptsOf(tag)).toEqual(['<script defer src="/.platen/p5.sound.js">']);
  });

  it('leaves other scripts, and a p5 that the folder brings', () => {
    const tags = ['sketch.js', './p5.js', 'https://x.com/three.js'].map((source) => `<script src="${source}">`);
    expect(scriptsOf(tags.join('</script>\n'), { 'p5.js': '' })).toEqual(tags);
  });

  it.each(['<!DOCTYPE html>\n<html>\n<head lang="en">\n', '<html>', '', '<!doctype html>'])(
    'asks for the edition first and adds no line (%j)',
    (start) => {
      const html = `${start}<script>one\n</script>`;
      const adopted = adoptLibraries({ 'index.html': html });
      expect(adopted.split('\n')).toHaveLength(html.split('\n').length);
      expect(adopted.startsWith(`${start.trimEnd()}${EDITION_SCRIPT}`)).toBe(true);
    },
  );
});

it.each([
  ['p5.js', true],
  ['lib/p5.sound.min.js', true],
  ['fxhash.min.js', true],
  ['sketch.js', false],
  ['my-p5.js', false],
])('isLibraryFile(%s): %s', (path, expected) => expect(isLibraryFile(path)).toBe(expected));
