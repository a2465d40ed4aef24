import { storableJson, storableText } from '#libs/engine/storable.js';
import type { DraftAnswer, DraftRequest } from '#libs/queue/draft-queue.js';
import { SketchError, type SketchRenderer } from '#libs/sandbox/sketch-renderer.js';
import { signals } from '#libs/tracepoints/signals.js';

const TIME_LIMIT_MS = 5_000;

/**
 * Draws a draft as the `p5` node would draw the edition. What it says can be stored: the queue may keep it
 * in Postgres.
 */
export async function renderDraft(sketches: SketchRenderer, draft: DraftRequest): Promise<DraftAnswer> {
  const answer = await draw(sketches, draft);
  signals.drafted.send({ ok: answer.ok });
  return answer;
}

async function draw(sketches: SketchRenderer, draft: DraftRequest): Promise<DraftAnswer> {
  try {
    const { bytes, ...image } = await sketches.render({
      source: { code: draft.code }, hash: draft.hash, variables: draft.variables, width: draft.width,
      height: draft.height, pixelDensity: 1, renderer: '2D', p5Version: '1', format: 'png', assets: {},
      timeLimitMs: TIME_LIMIT_MS, isPreview: false,
    });
    const said = storableJson(image) as unknown as typeof image;
    return { ok: true, image: Buffer.from(bytes).toString('base64'), ...said };
  } catch (error) {
    if (!(error instanceof SketchError)) throw error;
    const message = storableText(error.message);
    const logs = error.logs.map(storableText);
    return { ok: false, code: `SKETCH_${error.reason.toUpperCase()}`, message, logs };
  }
}
