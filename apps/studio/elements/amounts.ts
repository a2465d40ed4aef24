/** How numbers and times are written. */

const NUMBER = new Intl.NumberFormat(undefined, { maximumFractionDigits: 6 });
const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export const creditsText = (amount: number): string => `${NUMBER.format(amount)} ${amount === 1 ? 'credit' : 'credits'}`;
export const numberText = (amount: number): string => NUMBER.format(amount);
export const timeText = (iso: string): string => TIME.format(new Date(iso));

/** Of seconds: `0.4 s`, `12 s`, `3 min`, `2 h 5 min`. */
export function durationText(seconds: number): string {
  if (seconds < 10) return `${Number(Math.max(0, seconds).toFixed(1))} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)} h${rest > 0 ? ` ${rest} min` : ''}`;
}

/** Seconds between two times; of what goes on, until now. */
export const secondsBetween = (from: string, to: string | null): number =>
  ((to === null ? Date.now() : Date.parse(to)) - Date.parse(from)) / 1_000;

export const counted = (count: number, one: string, many = `${one}s`): string => `${numberText(count)} ${count === 1 ? one : many}`;
