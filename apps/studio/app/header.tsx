import { token } from '../api/session.js';
import { CreditsChip } from '../credits/credits-chip.js';
import { hrefOf, path } from './router.js';

const PLACES = [
  { target: '/', name: 'Make', within: /^\/($|workflows)/ },
  { target: '/sketch', name: 'Sketch', within: /^\/sketch/ },
  { target: '/work', name: 'Your work', within: /^\/(work$|collections|jobs)/ },
  { target: '/gallery', name: 'Gallery', within: /^\/gallery/ },
];

/** On a phone the places are a bar at the bottom, where the thumb is. */
export function Header() {
  return (
    <header class="top">
      <a class="wordmark" href={hrefOf('/')}>
        <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
          <rect x="1" y="2" width="14" height="3" rx="1" fill="currentColor" />
          <rect x="2.75" y="7.75" width="10.5" height="6.5" rx="1" fill="none" stroke="currentColor" stroke-width="1.5" />
        </svg>
        Platen
      </a>
      <nav class="places" aria-label="Studio">
        {PLACES.map(({ target, name, within }) => (
          <a href={hrefOf(target)} aria-current={within.test(path.value) ? 'page' : undefined}>{name}</a>
        ))}
      </nav>
      {token.value !== null && <CreditsChip />}
    </header>
  );
}
