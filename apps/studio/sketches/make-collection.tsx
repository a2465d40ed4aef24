import { useRef, useState } from 'preact/hooks';
import { newIdempotencyKey } from '#libs/client/index.js';
import { sentenceOf } from '../api/client.js';
import { createCollection, generateMore, type NewSet } from '../api/platen.js';
import { goTo } from '../app/router.js';
import { refreshBalance } from '../credits/balance.js';
import { Notice } from '../elements/notice.js';
import { hashesFrom } from './hashes.js';

const MOST_EDITIONS = 100;

/** Makes a collection of the sketch as it is now. Its first edition is the one in the preview. */
export function MakeCollection({ code, hash, size }: { code: string; hash: string; size: number }) {
  const [title, setTitle] = useState('Sketch');
  const [count, setCount] = useState(4);
  const [isSending, setSending] = useState(false);
  const [error, setError] = useState<unknown>(null);
  // Pressed again after a failure it goes on where it was, and neither makes nor pays anything twice.
  const made = useRef({ text: '', id: '', key: '' });
  const send = async (event: Event) => {
    event.preventDefault();
    if (isSending) return;
    setSending(true);
    setError(null);
    try {
      const text = JSON.stringify([title, code, hash, count, size]);
      if (made.current.text !== text) {
        const { id } = await createCollection({ title: title.trim(), data: setOf(code, hashesFrom(hash, count), size) });
        made.current = { text, id, key: newIdempotencyKey() };
      }
      const { id, key } = made.current;
      await generateMore(id, undefined, key);
      void refreshBalance();
      goTo(`/collections/${id}`);
    } catch (failure) {
      setError(failure);
      setSending(false);
    }
  };
  return (
    <form class="make" onSubmit={send}>
      <h2>Make a collection of it</h2>
      <label class="field">
        <span>Title</span>
        <input required maxLength={100} value={title} onInput={({ currentTarget }) => setTitle(currentTarget.value)} />
      </label>
      <label class="field">
        <span>Editions</span>
        <input type="number" required min={1} max={MOST_EDITIONS} value={count}
          onInput={({ currentTarget }) => setCount(Number(currentTarget.value))} />
      </label>
      <button class="primary" type="submit" disabled={isSending}>{isSending ? 'Sending …' : 'Generate'}</button>
      {error !== null && <Notice>{sentenceOf(error)}</Notice>}
    </form>
  );
}

const setOf = (code: string, hashes: string[], size: number): NewSet => ({
  version: 'v2',
  steps: [{ id: 1, nodeName: 'p5', alias: 'art', nodePayload: { code, width: size, height: size } }],
  generations: { hashes, generations: hashes.length, use_custom_hashes: true },
  variables: {},
});
