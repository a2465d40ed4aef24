import { useEffect } from 'preact/hooks';
import { hrefOf, path } from '../app/router.js';
import { creditsText } from '../elements/amounts.js';
import { balance, refreshBalance } from './balance.js';

/** What can be spent, at the top of every page. */
export function CreditsChip() {
  useEffect(() => void refreshBalance(), []);
  const { value } = balance;
  return (
    <a class="chip" href={hrefOf('/credits')} aria-current={path.value === '/credits' ? 'page' : undefined}>
      {value ? creditsText(value.available) : 'Credits'}
    </a>
  );
}
