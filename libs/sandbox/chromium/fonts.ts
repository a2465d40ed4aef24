import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const shipped = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf');

/** Generic families and the names sketches ask for most, each with the shipped font that stands in. */
const STAND_INS: Record<string, string[]> = {
  'DejaVu Sans': ['sans-serif', 'system-ui', 'Arial', 'Helvetica', 'Verdana'],
  'DejaVu Serif': ['serif', 'Times', 'Times New Roman', 'Georgia'],
  'DejaVu Sans Mono': ['monospace', 'Courier', 'Courier New', 'Menlo'],
};

const alias = (wanted: string, font: string) =>
  `  <alias binding="same"><family>${wanted}</family><prefer><family>${font}</family></prefer></alias>`;

/** A fontconfig that names shipped fonts only: text in a machine's own fonts differs between machines. */
export function fontConfiguration(cacheDirectory: string): string {
  const aliases = Object.entries(STAND_INS).flatMap(([font, names]) => names.map((name) => alias(name, font)));
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${shipped}</dir>
  <cachedir>${join(cacheDirectory, 'font-cache')}</cachedir>
${aliases.join('\n')}
</fontconfig>
`;
}
