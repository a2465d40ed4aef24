import type { DraftAnswer, DraftRequest } from '#libs/queue/draft-queue.js';
import { SketchError, type SketchRenderer } from '#libs/sandbox/sketch-renderer.js';

const TIME_LIMIT_MS = 10_000;

/** Draws a draft as the `p5` node would draw the edition. */
export async function renderDraft(sketches: SketchRenderer, draft: DraftRequest): Promise<DraftAnswer> {
  try {
    const { bytes, ...image } = await sketches.render({
      source: { code: draft.code }, hash: draft.hash, variables: draft.variables, width: draft.width,
      height: draft.height, pixelDensity: 1, renderer: '2D', p5Version: '1', format: 'png', assets: {},
      timeLimitMs: TIME_LIMIT_MS, isPreview: false,
    });
    return { ok: true, image: Buffer.from(bytes).toString('base64'), ...image };
  } catch (error) {
    if (!(error instanceof SketchError)) throw error;
    return { ok: false, code: `SKETCH_${error.reason.toUpperCase()}`, message: error.message, logs: error.logs };
  }
}
