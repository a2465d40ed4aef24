import type { Environment } from '#libs/config/environment.js';

/** Refuses prompts that hold a word or phrase of the operator's list (`MODERATED_TERMS`), however it is spaced or cased. */
export class Moderation {
  private readonly terms: string[];

  constructor({ MODERATED_TERMS }: Pick<Environment, 'MODERATED_TERMS'>) {
    this.terms = MODERATED_TERMS.map(wordsOf).filter((term) => term.trim() !== '');
  }

  refuses(prompt: string): boolean {
    const words = wordsOf(prompt);
    return this.terms.some((term) => words.includes(term));
  }
}

/** Letters and digits alone, in lower case, compatible forms made equal, a space before and after each word. */
const wordsOf = (text: string): string =>
  ` ${text.normalize('NFKC').toLowerCase().replace(/[^\p{L}\p{N}\p{M}]+/gu, ' ').trim()} `;
