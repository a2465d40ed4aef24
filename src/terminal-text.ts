/** Escape sequences begin with them, and some turn the order of what follows around. Lines and tabs are harmless. */
const CONTROLS = /(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Text as a terminal may show it, whoever wrote it: names, titles and errors of others neither move the cursor nor fill
 * the clipboard. What a control character was can be seen, and JSON stays the same JSON.
 */
export const printable = (text: string): string =>
  text.replace(CONTROLS, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
