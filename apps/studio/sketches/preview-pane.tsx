import { durationText } from '../elements/amounts.js';
import type { LivePreview } from './live-preview.js';

/** The picture, its traits, and what the sketch said. */
export function PreviewPane({ live }: { live: LivePreview }) {
  const { drawn, isDrawing, error } = live;
  return (
    <div class="preview" aria-busy={isDrawing}>
      <div class="frame">
        {drawn ? <img src={drawn.image} width={drawn.width} height={drawn.height} alt="What the sketch draws with this hash" />
          : <span class="blank">{error ? 'Nothing drawn yet' : 'Drawing …'}</span>}
      </div>
      <p class="quiet" role="status">{stateOf(live)}</p>
      {error !== null && !isDrawing && <pre class="notice" role="alert">{error}</pre>}
      {drawn && drawn.traits.length > 0 && (
        <dl class="traits">
          {drawn.traits.map(({ trait_type, value }) => <div><dt>{trait_type}</dt><dd>{String(value)}</dd></div>)}
        </dl>
      )}
      {drawn && drawn.logs.length > 0 && (
        <details><summary>Console</summary><pre>{drawn.logs.join('\n')}</pre></details>
      )}
    </div>
  );
}

function stateOf({ drawn, tookMs, isDrawing, error }: LivePreview): string {
  if (isDrawing) return 'Drawing …';
  return drawn !== null && error === null ? `Drawn in ${durationText(tookMs / 1_000)}` : '';
}
