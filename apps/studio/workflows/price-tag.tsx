import { useEffect, useState } from 'preact/hooks';
import { PlatenError } from '#libs/client/index.js';
import { sentenceOf } from '../api/client.js';
import { estimate, type Asked } from '../api/platen.js';
import type { Estimate, Fault } from '../api/shapes.js';
import { balance } from '../credits/balance.js';
import { creditsText, durationText, numberText } from '../elements/amounts.js';

const AFTER_TYPING_MS = 300;

export interface Quote {
  estimate: Estimate | null;
  /** What is wrong with the variables, by field. */
  faults: Fault[];
  error: string | null;
}

/** Price and time of what the form says now, asked for once the typing pauses. */
export function useQuote(workflowId: string, asked: Asked): Quote {
  const [quote, setQuote] = useState<Quote>({ estimate: null, faults: [], error: null });
  const key = JSON.stringify(asked);
  useEffect(() => {
    const controller = new AbortController();
    const ask = async () => {
      try {
        const found = await estimate(workflowId, asked, controller.signal);
        setQuote({ estimate: found, faults: [], error: null });
      } catch (error) {
        if (controller.signal.aborted) return;
        const faults = error instanceof PlatenError ? error.faults : [];
        setQuote(({ estimate: last }) => ({ estimate: last, faults, error: faults.length > 0 ? null : sentenceOf(error) }));
      }
    };
    const timer = setTimeout(() => void ask(), AFTER_TYPING_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [workflowId, key]);
  return quote;
}

export function PriceTag({ quote: { estimate: found, faults, error }, generations }: { quote: Quote; generations: number }) {
  return (
    <p class="price" aria-live="polite">
      {found ? <Price found={found} generations={generations} /> : <strong>…</strong>}
      {error !== null && <span class="fault">{error}</span>}
      {faults.length > 0 && <span class="quiet">The form is not complete yet.</span>}
    </p>
  );
}

function Price({ found, generations }: { found: Estimate; generations: number }) {
  const { total_credits: total, per_generation: each, workflow_base_cost: base } = found.cost_breakdown;
  const available = balance.value?.available;
  return (
    <>
      <strong>{creditsText(total)}</strong>
      <span>about {durationText(found.estimated_duration)}</span>
      {total > 0 && <span class="quiet">{numberText(base)} + {numberText(each)} × {generations}</span>}
      {available !== undefined && available < total && <span class="fault">You have {creditsText(available)}.</span>}
    </>
  );
}
