import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { sentenceOf } from '../api/client.js';
import { Notice } from './notice.js';

export interface Loaded<Data> {
  data: Data | null;
  error: unknown;
  reload: () => void;
}

/** Loads when the page opens, and again when `key` changes. Answers that come too late are dropped. */
export function useLoaded<Data>(load: () => Promise<Data>, key: unknown): Loaded<Data> {
  const [state, setState] = useState<{ data: Data | null; error: unknown }>({ data: null, error: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let isWanted = true;
    load().then(
      (data) => isWanted && setState({ data, error: null }),
      (error: unknown) => isWanted && setState(({ data }) => ({ data, error })),
    );
    return () => {
      isWanted = false;
    };
  }, [key, turn]);
  return { ...state, reload: useCallback(() => setTurn((before) => before + 1), []) };
}

/** Shows what was loaded, that it is under way, or why it is not there. */
export function Loading<Data>({ of: { data, error }, children }: {
  of: Loaded<Data>;
  children: (data: Data) => ComponentChildren;
}) {
  if (data !== null) return <>{children(data)}</>;
  if (error) return <Notice>{sentenceOf(error)}</Notice>;
  return <p class="quiet" role="status">One moment …</p>;
}
