/** What is said of a collection, and when it is shown. */
export interface About {
  title: string;
  description: string;
  isPublishing: boolean;
}

export function AboutFields({ about, onChange }: { about: About; onChange: (about: About) => void }) {
  return (
    <>
      <label class="field">
        <span>Title</span>
        <input name="title" required maxLength={100} value={about.title}
          onInput={({ currentTarget }) => onChange({ ...about, title: currentTarget.value })} />
      </label>
      <label class="field">
        <span>Description <small>optional</small></span>
        <textarea name="description" rows={3} maxLength={500} value={about.description}
          onInput={({ currentTarget }) => onChange({ ...about, description: currentTarget.value })} />
      </label>
      <label class="field switch">
        <span>Publish once every edition is finished</span>
        <input name="publish" type="checkbox" checked={about.isPublishing}
          onChange={({ currentTarget }) => onChange({ ...about, isPublishing: currentTarget.checked })} />
      </label>
    </>
  );
}

/** As an order has it: what was left empty is left out. */
export const aboutOf = ({ title, description, isPublishing }: About) => ({
  title: title.trim(),
  ...(description.trim() && { description: description.trim() }),
  ...(isPublishing && { options: { auto_publish: true } }),
});
