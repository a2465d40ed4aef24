import { signal } from '@preact/signals';

const BASE = '/studio';

/** Where the studio is: the path below `/studio`, beginning with `/`. */
export const path = signal(pathOf(location.pathname));

export const hrefOf = (target: string): string => `${BASE}${target}`;

export function goTo(target: string): void {
  history.pushState(null, '', hrefOf(target));
  arrive();
}

/** Follows the browser's buttons, and links within the studio without loading the page again. */
export function startRouter(): void {
  addEventListener('popstate', arrive);
  document.addEventListener('click', (event) => {
    const link = (event.target as Element).closest('a');
    if (!link || !isPlain(event) || !leadsWithin(link)) return;
    event.preventDefault();
    goTo(pathOf(link.pathname));
  });
}

/** Any other click wants a new tab or a download. */
const isPlain = ({ button, metaKey, ctrlKey, shiftKey, altKey }: MouseEvent): boolean =>
  button === 0 && !metaKey && !ctrlKey && !shiftKey && !altKey;

const leadsWithin = ({ origin, pathname, hash, target, download }: HTMLAnchorElement): boolean =>
  origin === location.origin && isOurs(pathname) && !hash && !target && !download;

function arrive(): void {
  path.value = pathOf(location.pathname);
  scrollTo(0, 0);
}

const isOurs = (pathname: string): boolean => pathname === BASE || pathname.startsWith(`${BASE}/`);

function pathOf(pathname: string): string {
  return pathname.slice(BASE.length).replace(/\/$/, '') || '/';
}
