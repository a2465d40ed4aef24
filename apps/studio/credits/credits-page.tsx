import { useEffect } from 'preact/hooks';
import { readLedger } from '../api/platen.js';
import type { LedgerEntry } from '../api/shapes.js';
import { hrefOf } from '../app/router.js';
import { numberText, timeText } from '../elements/amounts.js';
import { Pages } from '../elements/pages.js';
import { Title } from '../elements/title.js';
import { balance, refreshBalance } from './balance.js';

/** What each movement does, in words. */
const MOVEMENTS: Record<string, string> = {
  grant: 'Granted', hold: 'Set aside', capture: 'Spent', release: 'Given back', refund: 'Refunded', adjust: 'Adjusted',
};

export function CreditsPage() {
  useEffect(() => void refreshBalance(), []);
  const { value } = balance;
  return (
    <>
      <Title>Credits</Title>
      <p class="lead">You pay for what was made. What fails or is cancelled is given back.</p>
      <dl class="figures">
        <Figure name="To spend" amount={value?.available} isMain />
        <Figure name="Set aside" amount={value?.held} />
        <Figure name="In all" amount={value?.balance} />
        <div><dt>Plan</dt><dd>{value?.plan ?? '…'}</dd></div>
      </dl>
      <h2>Ledger</h2>
      <Pages load={readLedger}>{(entries) => <Ledger entries={entries} />}</Pages>
    </>
  );
}

const Figure = ({ name, amount, isMain }: { name: string; amount: number | undefined; isMain?: boolean }) => (
  <div class={isMain ? 'main' : ''}>
    <dt>{name}</dt>
    <dd>{amount === undefined ? '…' : numberText(amount)}</dd>
  </div>
);

function Ledger({ entries }: { entries: LedgerEntry[] }) {
  if (entries.length === 0) return <p class="quiet">Nothing has moved yet.</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Ledger">
      <table>
        <thead>
          <tr><th>When</th><th>What</th><th class="number">Credits</th><th class="number">In all</th><th>For</th></tr>
        </thead>
        <tbody>
          {entries.map(({ id, type, amount, balance_after, job_id, description, created_at }) => (
            <tr key={id}>
              <td>{timeText(created_at)}</td>
              <td>{MOVEMENTS[type] ?? type}</td>
              <td class="number">{numberText(amount)}</td>
              <td class="number">{numberText(balance_after)}</td>
              <td>{job_id ? <a href={hrefOf(`/jobs/${job_id}`)}>a job</a> : description}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
