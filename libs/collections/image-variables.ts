import { AssetInputs } from '#libs/assets/asset-inputs.js';
import type { Queryable } from '#libs/database/database.js';
import { foreignKey } from '#libs/engine/generation-store.js';
import type { FieldFault } from '#libs/errors/app-error.js';
import { loadReferences } from '#libs/generations/foreign-outputs.js';
import { joinPath } from '#libs/instruction-set/field-path.js';
import { imageReference, imageValues, type ImageValue } from '#libs/instruction-set/image-values.js';
import type { Variables } from '#libs/instruction-set/instruction-set.js';

/** What a URL of another host tells of itself; the image behind it is loaded, and judged, when a step takes it. */
export interface UrlCheck {
  /** Null: it may be tried. */
  faultOf(url: string): string | null;
}

const FILE = /^(\d{1,18}|(https?:\/\/[^/]+)?\/files\/.+)$/;
const NOT_FOUND = 'is no image that you may use';
const NO_IMAGE = 'is not an image';

/** Whether the `images` variables of a set name images that its owner may use. */
export class ImageVariables {
  private readonly assets: AssetInputs;

  constructor(
    private readonly db: Queryable,
    private readonly urls: UrlCheck,
    publicUrl = '',
  ) {
    this.assets = new AssetInputs(db, publicUrl);
  }

  /**
   * What is wrong with each image, at its place below `at`. `files`: the only texts that may name the user's files,
   * where the set was another's (null: any may).
   */
  async faultsOf(
    userId: string,
    variables: Variables,
    { at, files = null }: { at: string; files?: readonly string[] | null },
  ): Promise<FieldFault[]> {
    const images = imageValues(variables);
    if (images.length === 0) return [];
    const messages = await this.judge(userId, images, files && new Set(files));
    return images.flatMap((image, index) => {
      const message = messages[index];
      return message ? [{ field: joinPath(at, image.path), message }] : [];
    });
  }

  private async judge(userId: string, images: ImageValue[], files: ReadonlySet<string> | null): Promise<Array<string | null>> {
    const named = images.flatMap(({ value }) => (typeof value === 'string' && FILE.test(value) ? [value] : []));
    const found = await this.assets.find(userId, [...new Set(named)].filter((name) => files?.has(name) ?? true));
    const references = images.flatMap(({ value }) => imageReference(value) ?? []);
    const outputs = await loadReferences(this.db, references, files ? null : userId);
    return images.map(({ value }) => {
      if (typeof value !== 'string') {
        const reference = imageReference(value);
        if (!reference) return 'must name a step of another collection: { "$ref": …, "collection": … }';
        return kindFault(outputs.get(foreignKey(reference.stepId, reference.collection))?.assets[0]?.mime_type);
      }
      return FILE.test(value) ? kindFault(found.get(value)?.mimeType) : this.urls.faultOf(value);
    });
  }
}

function kindFault(mimeType: string | undefined): string | null {
  if (mimeType === undefined) return NOT_FOUND;
  return mimeType.startsWith('image/') ? null : NO_IMAGE;
}
