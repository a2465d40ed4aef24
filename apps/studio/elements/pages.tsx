import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { sentenceOf } from '../api/client.js';
import type { Page } from '../api/shapes.js';
import { Loading, useLoaded } from './loading.js';
import { Notice } from './notice.js';

/** Without a cursor: the first page. */
type Load<Item> = (cursor?: string) => Promise<Page<Item>>;

/** A list of the API, page by page. */
export function Pages<Item>({ load, children }: {
  load: Load<Item>;
  children: (items: Item[]) => ComponentChildren;
}) {
  const first = useLoaded(() => load(), load);
  return <Loading of={first}>{(page) => <Further key={page} first={page} load={load}>{children}</Further>}</Loading>;
}

function Further<Item>({ first, load, children }: {
  first: Page<Item>;
  load: Load<Item>;
  children: (items: Item[]) => ComponentChildren;
}) {
  const [more, setMore] = useState<Page<Item>>({ items: [], next_cursor: first.next_cursor });
  const [error, setError] = useState<unknown>(null);
  const isLoading = useRef(false);
  const loadMore = async () => {
    if (isLoading.current) return;
    isLoading.current = true;
    setError(null);
    await load(more.next_cursor ?? undefined).then(
      ({ items, next_cursor }) => setMore((before) => ({ items: [...before.items, ...items], next_cursor })),
      setError,
    );
    isLoading.current = false;
  };
  return (
    <>
      {children([...first.items, ...more.items])}
      {error !== null && <Notice>{sentenceOf(error)}</Notice>}
      {more.next_cursor !== null && <button type="button" class="more" onClick={loadMore}>Show more</button>}
    </>
  );
}
