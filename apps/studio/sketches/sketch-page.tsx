import { useCallback, useState } from 'preact/hooks';
import { keep, kept } from '../app/kept.js';
import { Title } from '../elements/title.js';
import { Editor } from './editor.js';
import { newHash } from './hashes.js';
import { MakeCollection } from './make-collection.js';
import { PreviewPane } from './preview-pane.js';
import { usePreview } from './live-preview.js';
import { STARTER } from './starter.js';

const KEPT = 'platen.sketch';
const SIZES = [512, 768, 1024];

/** Writes a sketch beside its picture, and makes a collection of it. */
export function SketchPage() {
  const [code, setCode] = useState(() => kept('localStorage', KEPT) ?? STARTER);
  const [hash, setHash] = useState(newHash);
  const [size, setSize] = useState(768);
  const live = usePreview({ code, hash, width: size, height: size });
  const change = useCallback((changed: string) => {
    setCode(changed);
    keep('localStorage', KEPT, changed);
  }, []);
  return (
    <>
      <div class="headline">
        <div>
          <Title tab="Sketch">Sketch</Title>
          <p class="lead">p5.js, drawn as you write by a worker: the very runtime that makes the editions, so the preview is the render.</p>
        </div>
      </div>
      <div class="studio-split">
        <Editor code={code} onChange={change} />
        <section aria-label="Preview">
          <PreviewPane live={live} />
          <div class="tools">
            <button type="button" onClick={() => setHash(newHash())}>Another hash</button>
            <label class="inline">
              <span>Size</span>
              <select value={String(size)} onChange={({ currentTarget }) => setSize(Number(currentTarget.value))}>
                {SIZES.map((side) => <option value={String(side)}>{side} × {side}</option>)}
              </select>
            </label>
          </div>
          <label class="field">
            <span>Hash</span>
            <input class="mono" value={hash} spellcheck={false} onChange={({ currentTarget }) => setHash(currentTarget.value.trim())} />
          </label>
          <MakeCollection code={code} hash={hash} size={size} />
        </section>
      </div>
    </>
  );
}
