import { useEffect, useRef } from 'preact/hooks';
import type { Generation, Token, Trait } from '../api/shapes.js';
import { hrefOf } from '../app/router.js';
import { Status } from '../elements/status.js';
import { Picture, shownOf } from './edition.js';

const PERCENT = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });

/** One edition large, with all that is known of it. */
export function EditionDialog({ generation, token, number, jobId, onClose }: {
  generation: Generation;
  token: Token | undefined;
  number: number;
  jobId: string;
  onClose: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const asset = shownOf(generation.assets);
  return (
    <dialog ref={dialog} class="edition-dialog" aria-labelledby="edition-name" onClose={onClose}
      onClick={({ target }) => target === dialog.current && dialog.current?.close()}>
      <div class="art">{asset && <Picture asset={asset} alt={`Edition ${number}`} isLarge />}</div>
      <div class="label">
        <h2 id="edition-name">No. {number}</h2>
        <Status of={generation.status} />
        {token && token.rarity.of > 1 && <p>Rarity {token.rarity.rank} of {token.rarity.of}</p>}
        {generation.error && <p class="fault">{generation.error.message}</p>}
        <Traits traits={token?.traits ?? generation.traits} />
        <p class="hash"><span class="quiet">Hash</span> <code>{generation.hash}</code></p>
        <p class="actions">
          {asset && <a href={asset.url} target="_blank" rel="noreferrer">Full size</a>}
          {asset && <a href={asset.url} download={asset.name}>Download</a>}
          <a href={hrefOf(`/jobs/${jobId}`)}>How it was made</a>
        </p>
        <button type="button" onClick={() => dialog.current?.close()}>Close</button>
      </div>
    </dialog>
  );
}

function Traits({ traits }: { traits: Array<Trait & { share?: number }> }) {
  if (traits.length === 0) return null;
  return (
    <dl class="traits">
      {traits.map(({ trait_type, value, share }) => (
        <div>
          <dt>{trait_type}</dt>
          <dd>{String(value)} {share !== undefined && <small>{PERCENT.format(share)}</small>}</dd>
        </div>
      ))}
    </dl>
  );
}
