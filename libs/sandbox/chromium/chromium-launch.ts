import type { Browser } from 'playwright-core';
import { SketchError } from '#libs/sandbox/sketch-renderer.js';
import { provideChromium, type ChromiumFiles } from './chromium-files.js';
import { watchMemory } from './memory-watch.js';
import { guardBrowserPipes } from './pipe-guard.js';

export interface ChromiumOptions {
  /** Where the browser is unpacked: private to this user, kept between runs. */
  cacheDirectory: string;
  /** A Chrome or Chromium to use instead of npm's. */
  executablePath?: string;
  /** Renders even where Chromium's own sandbox cannot be had. */
  allowUnsandboxed: boolean;
}

/** What one start of the browser asks for. */
export interface ChromiumStart {
  /** The one processor that it may run on and sees. Linux only. */
  processor?: number;
}

export interface RunningChromium {
  browser: Browser;
  pid: number;
  sandboxed: boolean;
}

const LAUNCH_LIMIT_MS = 30_000;
const CLOSE_LIMIT_MS = 5_000;

/** Nothing listens on port 1, and `<-loopback>` sends even local addresses there. */
const DEAD_PROXY = { server: 'http://127.0.0.1:1', bypass: '<-loopback>' };

const ARGUMENTS = [
  // Drawing: always the same software, so that bytes do not depend on a graphics card.
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--disable-accelerated-2d-canvas',
  // Nobody sees the page itself: putting its parts together in software would cost as much as a sketch.
  '--disable-gpu-compositing',
  '--force-color-profile=srgb',
  '--font-render-hinting=none',
  '--disable-lcd-text',
  // A fresh document takes its page's own frame: a new frame for each costs a third of opening it.
  '--enable-features=RenderDocument:level/crashed-frame',
  // Ways out.
  '--host-resolver-rules=MAP * ~NOTFOUND',
  '--dns-prefetch-disable',
  '--webrtc-ip-handling-policy=disable_non_proxied_udp',
  '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-pings',
  '--no-first-run',
  '--mute-audio',
];

/**
 * Starts a browser with its own sandbox on. Throws SketchError `unsandboxed` where that cannot be and is
 * not waived, `browser` when it does not start at all.
 */
export async function launchChromium(
  options: ChromiumOptions,
  wish: ChromiumStart = {},
): Promise<RunningChromium> {
  try {
    const files = await provideChromium(options.cacheDirectory, options.executablePath);
    try {
      return await start(files, true, wish);
    } catch (failure) {
      if (!lacksSandbox(failure)) throw failure;
      if (!options.allowUnsandboxed) throw unsandboxed();
      return await start(files, false, wish);
    }
  } catch (failure) {
    if (failure instanceof SketchError) throw failure;
    throw new SketchError('browser', `Chromium did not start: ${firstLines(failure)}`, false);
  }
}

async function start(
  files: ChromiumFiles,
  sandboxed: boolean,
  { processor }: ChromiumStart,
): Promise<RunningChromium> {
  guardBrowserPipes();
  // With the first browser: it is a third of what a worker loads, and many never draw.
  const { chromium } = await import('playwright-core');
  const asNobody = sandboxed && process.getuid?.() === 0;
  const isPlain = !asNobody && processor === undefined;
  const browser = await chromium.launch({
    executablePath: isPlain ? files.executable : files.launcher,
    chromiumSandbox: sandboxed,
    args: ARGUMENTS,
    proxy: DEAD_PROXY,
    env: {
      ...environment(files),
      ...(asNobody ? { PLATEN_UNPRIVILEGED: '1' } : {}),
      ...(processor === undefined ? {} : { PLATEN_PROCESSOR: String(processor) }),
    },
    timeout: LAUNCH_LIMIT_MS,
    handleSIGHUP: false,
    handleSIGINT: false,
    handleSIGTERM: false,
  });
  const pid = await processId(browser);
  watchMemory(browser, pid);
  return { browser, pid, sandboxed };
}

/** Ends it, at the latest after 5 s by force. */
export async function endChromium({ browser, pid }: RunningChromium): Promise<void> {
  const force = setTimeout(() => kill(pid), CLOSE_LIMIT_MS);
  await browser.close().catch(() => undefined);
  clearTimeout(force);
}

function kill(pid: number): void {
  try {
    if (pid > 0) process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

/** Everything the browser gets to see of the host's environment. */
const environment = (files: ChromiumFiles): Record<string, string> => ({
  PATH: '/usr/local/bin:/usr/bin:/bin',
  PLATEN_CHROMIUM: files.executable,
  FONTCONFIG_FILE: files.fontConfig,
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  ...(files.libraries ? { LD_LIBRARY_PATH: files.libraries } : {}),
});

async function processId(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.find((entry) => entry.type === 'browser')?.id ?? 0;
}

const text = (failure: unknown) => (failure instanceof Error ? failure.message : String(failure));
const firstLines = (failure: unknown) => text(failure).split('\n').slice(0, 20).join('\n');

/** What Chromium and `unshare` say when user namespaces are forbidden. */
const SANDBOX_COMPLAINT =
  /No usable sandbox|without --no-sandbox|unshare failed|unshare: not found|credentials\.cc/i;
const lacksSandbox = (failure: unknown) => SANDBOX_COMPLAINT.test(text(failure));

const unsandboxed = () =>
  new SketchError(
    'unsandboxed',
    "Chromium's own sandbox cannot be had here (user namespaces are forbidden), so sketches are refused. " +
      'Allow user namespaces, or set ALLOW_UNSANDBOXED_CHROMIUM=true where only trusted sketches run.',
    true,
  );
