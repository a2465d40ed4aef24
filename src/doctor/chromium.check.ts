import { join } from 'node:path';
import { endChromium, launchChromium } from '#libs/sandbox/chromium/chromium-launch.js';
import { fail, ok, warn, type Check } from './check.js';

const DRAW = `
  (() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 8, height: 8 });
    const pen = canvas.getContext('2d');
    pen.fillStyle = '#f00';
    pen.fillRect(0, 0, 8, 8);
    return [...pen.getImageData(4, 4, 1, 1).data].join();
  })()`;
const RED = '255,0,0,255';

export const chromiumCheck: Check = {
  name: 'Chromium',
  timeoutMs: 60_000,
  async examine({ environment, home }) {
    if (!environment.WORKER_LANES.includes('chromium')) return [ok('not needed: WORKER_LANES leaves its lane out')];
    const running = await launchChromium({
      cacheDirectory: join(home, 'chromium'),
      executablePath: environment.CHROMIUM_PATH,
      allowUnsandboxed: environment.ALLOW_UNSANDBOXED_CHROMIUM,
    }).catch((error: Error) => error);
    if (running instanceof Error) {
      return [fail(running.message.split('\n')[0] ?? 'it does not start', 'Sketches need it. Set CHROMIUM_PATH to a Chrome or Chromium of this machine.')];
    }
    try {
      const page = await running.browser.newPage();
      const drawn = await page.evaluate(DRAW);
      const name = `Chromium ${running.browser.version()}`;
      if (drawn !== RED) return [fail(`${name} starts, but draws nothing`, 'Set CHROMIUM_PATH to another Chrome or Chromium.')];
      return running.sandboxed
        ? [ok(`${name} starts in its sandbox, and draws`)]
        : [warn(`${name} draws, without its sandbox`, 'Allow user namespaces: sketches of strangers need the sandbox.')];
    } finally {
      await endChromium(running);
    }
  },
};
