import type { Asset, Generation, Token } from '../api/shapes.js';
import { Progress } from '../elements/progress.js';
import { statusName } from '../elements/status.js';

/** A picture or video of an edition, small enough for a wall of them. */
export function Picture({ asset, alt, isLarge }: { asset: Asset; alt: string; isLarge?: boolean }) {
  const small = asset.thumbnail_url ?? (asset.mime_type.startsWith('image/') ? asset.url : null);
  if (isLarge && asset.mime_type.startsWith('video/')) return <video src={asset.url} controls loop muted playsInline />;
  if (isLarge && asset.mime_type.startsWith('audio/')) return <audio src={asset.url} controls />;
  if (isLarge && asset.mime_type.startsWith('image/')) return <img src={asset.url} alt={alt} />;
  if (small !== null) return <img src={small} alt={alt} loading="lazy" decoding="async" />;
  return <span class="file">{asset.name}</span>;
}

/** One edition on the wall: its picture once it is there, until then how far it has come. */
export function Edition({ generation, token, number, onOpen }: {
  generation: Generation;
  token: Token | undefined;
  number: number;
  onOpen: () => void;
}) {
  const { status, progress, assets, error } = generation;
  const asset = shownOf(assets);
  const name = `Edition ${number}`;
  const isWorking = status === 'processing' || status === 'waiting' || status === 'pending';
  return (
    <li class="edition" data-status={status}>
      <button type="button" class="frame" onClick={onOpen} aria-label={`${name}, ${statusName(status)}`}>
        {asset && status === 'completed' ? <Picture asset={asset} alt={name} /> : <span class="blank">{statusName(status)}</span>}
      </button>
      {isWorking && <Progress percent={workOf(generation, progress)} label={`${name}: progress`} />}
      <p>
        <span>No. {number}</span>
        {token && token.rarity.of > 1 && <span class="quiet">rarity {token.rarity.rank} of {token.rarity.of}</span>}
        {error && <span class="fault">{error.message}</span>}
      </p>
    </li>
  );
}

/** The last file is the work; what came before it led there. */
export const shownOf = (assets: Asset[]): Asset | undefined => assets.at(-1);

/** The step that runs now counts as far as it has come. */
function workOf({ steps }: Generation, progress: number): number {
  const running = steps.findLast(({ status }) => status === 'running');
  return Math.min(99, Math.max(progress, running ? progress + running.progress / Math.max(1, steps.length + 1) : 0));
}
