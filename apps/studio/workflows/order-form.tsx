import { useMemo, useRef, useState } from 'preact/hooks';
import { newIdempotencyKey, PlatenError } from '#libs/client/index.js';
import { sentenceOf } from '../api/client.js';
import { generate, type Order } from '../api/platen.js';
import type { Fault, Workflow } from '../api/shapes.js';
import { goTo } from '../app/router.js';
import { refreshBalance } from '../credits/balance.js';
import { Notice } from '../elements/notice.js';
import { AboutFields, aboutNothing, aboutOf } from './about-fields.js';
import { fieldsOf, groupsOf, initialValues, variablesOf, type Value } from './form-fields.js';
import { FormField } from './form-field.js';
import { PriceTag, useQuote } from './price-tag.js';

const MOST_EDITIONS = 10;

/** The workflow's form, what is made of it, and what that costs. */
export function OrderForm({ workflow }: { workflow: Workflow }) {
  const fields = useMemo(() => fieldsOf(workflow), [workflow]);
  const [values, setValues] = useState<Record<string, Value>>(() => initialValues(fields));
  const [about, setAbout] = useState(() => aboutNothing(workflow.label ?? workflow.name));
  const [editions, setEditions] = useState(Math.min(4, mostEditions(workflow)));
  const order: Order = { ...aboutOf(about), workflow_id: workflow.id, generations: editions, variables: variablesOf(values) };
  const quote = useQuote(workflow.id, { variables: order.variables, generations: editions });
  const { submit, isSending, failure } = useSubmission(order);
  const faults = failure instanceof PlatenError ? failure.faults : [];
  const faultOf = (id: string) => faultAt(faults, id) ?? (id in values ? faultAt(quote.faults, id) : undefined);

  return (
    <form class="order" onSubmit={submit} aria-busy={isSending}>
      {groupsOf(fields, workflow.data.form?.config?.groupOrder).map((group) => (
        <fieldset key={group.name}>
          {group.name !== null && <legend>{group.name}</legend>}
          {group.fields.map((field) => (
            <FormField key={field.id} field={field} value={values[field.id]} fault={faultOf(field.id)}
              onChange={(value) => setValues((before) => ({ ...before, [field.id]: value }))} />
          ))}
        </fieldset>
      ))}
      <fieldset>
        <legend>The collection</legend>
        <AboutFields about={about} onChange={setAbout} />
        <Editions most={mostEditions(workflow)} value={editions} onChange={setEditions} />
      </fieldset>
      <div class="checkout">
        <PriceTag quote={quote} generations={editions} />
        <button class="primary" type="submit" disabled={isSending}>{isSending ? 'Sending …' : 'Generate'}</button>
      </div>
      {failure !== null && <Notice>{sentenceOf(failure)}</Notice>}
    </form>
  );
}

function Editions({ most, value, onChange }: { most: number; value: number; onChange: (value: number) => void }) {
  return (
    <div class="field range">
      <label for="editions">Editions</label>
      <span class="with-value">
        <input id="editions" type="range" min={1} max={most} step={1} value={value}
          onInput={({ currentTarget }) => onChange(Number(currentTarget.value))} />
        <output for="editions">{value}</output>
      </span>
    </div>
  );
}

/**
 * Sends the order once: the key stays until the order is another one, so that neither a second press nor a lost answer
 * makes a second collection.
 */
function useSubmission(order: Order) {
  const [isSending, setSending] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const sent = useRef({ text: '', key: '' });
  const submit = async (event: Event) => {
    event.preventDefault();
    if (isSending) return;
    const text = JSON.stringify(order);
    if (sent.current.text !== text) sent.current = { text, key: newIdempotencyKey() };
    setSending(true);
    setFailure(null);
    try {
      const { collection_id } = await generate(order, sent.current.key);
      void refreshBalance();
      goTo(`/collections/${collection_id}`);
    } catch (error) {
      setFailure(error);
      setSending(false);
    }
  };
  return { submit, isSending, failure };
}

const mostEditions = ({ data }: Workflow): number =>
  Math.max(1, Math.min(MOST_EDITIONS, data.form?.config?.maxNumberOfGenerations ?? MOST_EDITIONS));

/** Faults of variables are told by `variables.<id>`. */
const faultAt = (faults: Fault[], id: string): string | undefined =>
  faults.find(({ field }) => field === `variables.${id}` || field === id)?.message;
