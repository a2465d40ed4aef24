import { useEffect, useRef, useState } from 'preact/hooks';
import { PlatenError } from '#libs/client/index.js';
import { sentenceOf } from '../api/client.js';
import { preview, type Draft } from '../api/platen.js';
import type { Preview } from '../api/shapes.js';

const AFTER_TYPING_MS = 600;

export interface LivePreview {
  drawn: Preview | null;
  /** Milliseconds from the question to the picture. */
  tookMs: number;
  isDrawing: boolean;
  error: string | null;
}

/** The picture of what is written now, drawn by a worker once the typing pauses. The last one stays until then. */
export function usePreview(draft: Draft): LivePreview {
  const [state, setState] = useState<LivePreview>({ drawn: null, tookMs: 0, isDrawing: true, error: null });
  const isFirst = useRef(true);
  const key = JSON.stringify(draft);
  useEffect(() => {
    const controller = new AbortController();
    const draw = async () => {
      setState((before) => ({ ...before, isDrawing: true }));
      const begun = performance.now();
      try {
        const drawn = await preview(draft, controller.signal);
        setState({ drawn, tookMs: performance.now() - begun, isDrawing: false, error: null });
      } catch (error) {
        if (!controller.signal.aborted) setState((before) => ({ ...before, isDrawing: false, error: faultOf(error) }));
      }
    };
    const timer = setTimeout(() => void draw(), isFirst.current ? 0 : AFTER_TYPING_MS);
    isFirst.current = false;
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [key]);
  return state;
}

const faultOf = (error: unknown): string =>
  (error instanceof PlatenError && error.faults[0]?.message) || sentenceOf(error);
