import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const SIZE = { width: 1_200, height: 1_560 };

/** Saves what a browser shows of a page as a PNG; null, or why there is none. */
export async function takePicture(page: string, picture: string): Promise<string | null> {
  const executablePath = BROWSERS.find(existsSync);
  if (!executablePath) return 'no picture: needs chromium';
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const window = await browser.newPage({ viewport: SIZE, colorScheme: 'light' });
    await window.goto(pathToFileURL(page).href);
    await window.screenshot({ path: picture });
    return null;
  } finally {
    await browser.close();
  }
}
