import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { provideChromium } from '#libs/sandbox/chromium/chromium-files.js';
import { testCache } from '../factories/sketch-run.js';

/** The browser of the tests, for pages of our own: without the sandbox that sketches of strangers get. */
export async function openBrowser(): Promise<Browser> {
  const { executable, fontConfig, libraries } = await provideChromium(testCache);
  return chromium.launch({
    executablePath: executable,
    chromiumSandbox: false,
    args: ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
    env: { FONTCONFIG_FILE: fontConfig, ...(libraries && { LD_LIBRARY_PATH: libraries }) },
    timeout: 60_000,
  });
}

export interface WatchedPage {
  page: Page;
  /** Errors of its console and of its scripts, as they come. */
  errors: string[];
  close: () => Promise<void>;
}

/** A page of a visitor who was never here before. Waits are generous: machines of tests are busy. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  return { page, errors, close: () => context.close() };
}
