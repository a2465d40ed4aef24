import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Environment } from '#libs/config/environment.js';
import { root } from './sources.js';

/** `NAME` to its value in `.env.example`, where each variable stands commented out. */
function documented(): Map<string, string> {
  const text = readFileSync(join(root, '.env.example'), 'utf8');
  const lines = [...text.matchAll(/^# ?([A-Z][A-Z0-9_]+)=(.*)$/gm)];
  return new Map(lines.map(([, name = '', value = '']) => [name, value]));
}

/** Names in the order of the class, with their defaults as one would write them. */
function declared(): Map<string, string> {
  const text = readFileSync(join(root, 'libs/config/environment.ts'), 'utf8');
  const defaults = new Environment();
  const names = [...text.matchAll(/^ {2}([A-Z][A-Z0-9_]+)\??:/gm)].map(([, name]) => name as keyof Environment);
  return new Map(names.map((name) => [name, String(defaults[name] ?? '')]));
}

describe('.env.example', () => {
  it('lists each variable once, in the order of the code', () => {
    expect([...documented().keys()]).toEqual([...declared().keys()]);
  });

  it('shows the default of each', () => {
    expect(Object.fromEntries(documented())).toEqual(Object.fromEntries(declared()));
  });
});
