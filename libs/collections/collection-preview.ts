import type { FileUrls } from '#libs/assets/file-urls.js';

/** What was chosen of a collection's files to stand for it: paths of `collection_preview`. */
export interface PreviewRow {
  made_cover: string | null;
  made_images: string[] | null;
}

/** The same with addresses that work now. */
export interface ShownPreview {
  cover: string | null;
  images: string[];
}

/** From `collection_preview p`, which is joined to the collection. */
export const PREVIEW_COLUMNS = 'p.cover_image_url as made_cover, p.images as made_images';

export function presentPreview(
  { made_cover, made_images, status, archived }: PreviewRow & { status: string; archived: boolean },
  urls: FileUrls,
): ShownPreview {
  const isPublic = status === 'published' && !archived;
  const link = (path: string) => (isPublic ? urls.open(path) : urls.signed(path));
  return { cover: made_cover && link(made_cover), images: (made_images ?? []).map(link) };
}
