import { useState } from 'preact/hooks';
import { sentenceOf } from '../api/client.js';
import { generateMore } from '../api/platen.js';
import { refreshBalance } from '../credits/balance.js';
import { Notice } from '../elements/notice.js';

/** Makes more editions of the same set. */
export function MoreEditions({ collectionId, onStarted }: { collectionId: string; onStarted: () => Promise<void> }) {
  const [count, setCount] = useState(1);
  const [isSending, setSending] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const send = async (event: Event) => {
    event.preventDefault();
    setSending(true);
    setError(null);
    try {
      await generateMore(collectionId, count);
      void refreshBalance();
      await onStarted();
    } catch (failure) {
      setError(failure);
    }
    setSending(false);
  };
  return (
    <form class="inline" onSubmit={send}>
      <label for="more">More editions</label>
      <input id="more" type="number" min={1} max={100} value={count}
        onInput={({ currentTarget }) => setCount(Number(currentTarget.value))} />
      <button type="submit" disabled={isSending}>Make them</button>
      {error !== null && <Notice>{sentenceOf(error)}</Notice>}
    </form>
  );
}
