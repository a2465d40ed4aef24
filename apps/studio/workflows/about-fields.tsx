import type { GenerateCollectionBody } from '#libs/client/index.js';

type Chain = NonNullable<NonNullable<GenerateCollectionBody['metadata']>['blockchain']>;

/** What is said of a collection, and when it is shown. */
export interface About {
  title: string;
  description: string;
  chain: Chain | '';
  /** Of an edition, in the chain's coin. */
  price: string;
  isPublishing: boolean;
}

const CHAINS: Record<Chain, string> = { BASE: 'Base', ETHEREUM: 'Ethereum', TEZOS: 'Tezos' };

export const aboutNothing = (title: string): About => ({ title, description: '', chain: '', price: '', isPublishing: false });

export function AboutFields({ about, onChange }: { about: About; onChange: (about: About) => void }) {
  const change = (part: Partial<About>) => onChange({ ...about, ...part });
  return (
    <>
      <label class="field">
        <span>Title</span>
        <input name="title" required maxLength={100} value={about.title}
          onInput={({ currentTarget }) => change({ title: currentTarget.value })} />
      </label>
      <label class="field">
        <span>Description <small>optional</small></span>
        <textarea name="description" rows={3} maxLength={500} value={about.description}
          onInput={({ currentTarget }) => change({ description: currentTarget.value })} />
      </label>
      <label class="field">
        <span>Chain <small>optional</small></span>
        <select name="chain" value={about.chain} onChange={({ currentTarget }) => change({ chain: currentTarget.value as Chain | '' })}>
          <option value="">None</option>
          {Object.entries(CHAINS).map(([chain, name]) => <option value={chain}>{name}</option>)}
        </select>
      </label>
      {about.chain !== '' && (
        <label class="field">
          <span>Price of an edition, in the coin of {CHAINS[about.chain]} <small>optional</small></span>
          <input name="price" type="number" min={0} step="any" value={about.price}
            onInput={({ currentTarget }) => change({ price: currentTarget.value })} />
        </label>
      )}
      <label class="field switch">
        <span>Publish once every edition is finished</span>
        <input name="publish" type="checkbox" checked={about.isPublishing}
          onChange={({ currentTarget }) => change({ isPublishing: currentTarget.checked })} />
      </label>
    </>
  );
}

/** As an order has it: what was left empty is left out. */
export const aboutOf = ({ title, description, chain, price, isPublishing }: About) => ({
  title: title.trim(),
  ...(description.trim() && { description: description.trim() }),
  ...(chain && { metadata: { blockchain: chain, ...(price && { price: Number(price) }) } }),
  ...(isPublishing && { options: { auto_publish: true } }),
});
