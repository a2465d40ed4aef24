import type { Sketch } from '#libs/sandbox/sketch-renderer.js';
import type { RunningChromium } from './chromium-launch.js';
import type { SketchPage } from './sketch-page.js';

type Frame = Pick<Sketch, 'p5Version' | 'width' | 'height'>;

/**
 * A page that waits for a sketch of its own frame. Another size would not do: while a page waits, Chromium
 * holds a new size back for seconds, and the sketch would find a window of the old one.
 */
export interface WaitingPage extends Frame {
  chromium: RunningChromium;
  page: Promise<SketchPage | undefined>;
}

export const fits = (waiting: WaitingPage, chromium: RunningChromium, { p5Version, width, height }: Frame): boolean =>
  waiting.chromium === chromium && waiting.p5Version === p5Version && waiting.width === width && waiting.height === height;
