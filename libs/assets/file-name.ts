const MAX_LENGTH = 150;

/**
 * A file name to show and to offer for download: no path, nothing invisible, and the extension that
 * belongs to the bytes (`art.png` that is a JPEG becomes `art.jpg`).
 */
export function fileName(given: string, extension: string): string {
  const base = given.split(/[/\\]/).at(-1) ?? '';
  const visible = base.replace(/[\p{C}"<>|*?:]/gu, '').trim();
  const stem = visible.replace(/\.[A-Za-z0-9]{1,8}$/, '').replace(/^\.+/, '');
  return `${[...stem].slice(0, MAX_LENGTH).join('') || 'file'}.${extension}`;
}
