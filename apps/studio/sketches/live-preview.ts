import { useEffect, useRef, useState } from 'preact/hooks';
import { sentenceOf, Failure } from '../api/failure.js';
import { preview, type Draft } from '../api/platen.js';
import { pause } from '../api/request.js';
import type { Preview } from '../api/shapes.js';

const AFTER_TYPING_MS = 600;
const TRIES = 3;

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
        const drawn = await drawnInTurn(draft, controller.signal);
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

/** Two at once are allowed: what was given up may still be drawn for a while. */
async function drawnInTurn(draft: Draft, signal: AbortSignal): Promise<Preview> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await preview(draft, signal);
    } catch (error) {
      const isBusy = error instanceof Failure && error.code === 'RATE_LIMITED';
      if (!isBusy || attempt === TRIES || signal.aborted) throw error;
      await pause(Math.min(error.retryAfterMs ?? 1_000, 3_000), signal);
    }
  }
}

const faultOf = (error: unknown): string =>
  (error instanceof Failure && error.faults[0]?.message) || sentenceOf(error);
