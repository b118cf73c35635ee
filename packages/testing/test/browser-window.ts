import { type Browser, chromium, type Locator, type Page } from 'playwright-core';

const ARGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A browser that talks to nobody but the page's server. */
export function openBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ARGS });
}

/** One person at one window of their own. */
export class BrowserWindow {
  readonly page: Page;
  /** What the browser complained about. */
  readonly complaints: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(20_000);
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (line) => {
      if (line.type() === 'error') this.complaints.push(line.text());
    });
  }

  async signIn(url: string, name: string): Promise<void> {
    await this.page.goto(url);
    await this.page.getByTestId('name').fill(name);
    await this.page.getByTestId('sign-in').click();
    await this.connected();
  }

  async connected(): Promise<void> {
    await this.page.locator('[data-testid=connection][data-status=connected]').waitFor();
  }

  /** Starts a chat with these people, or comes back to the one there is; its id. */
  async chatWith(names: string, title = ''): Promise<string> {
    await this.page.getByTestId('new-chat').click();
    await this.page.getByTestId('people').fill(names);
    await this.page.getByTestId('title').fill(title);
    await this.page.getByTestId('create').click();
    await this.page.getByTestId('new-chat').waitFor(); // The form has closed: until then another chat is the open one.
    const open = this.page.locator('[data-testid=channel][aria-current=true]');
    return (await open.getAttribute('data-channel-id')) ?? '';
  }

  channel(id: string): Locator {
    return this.page.locator(`[data-testid=channel][data-channel-id="${id}"]`);
  }

  async say(body: string): Promise<void> {
    await this.page.getByTestId('composer').fill(body);
    await this.page.keyboard.press('Enter');
  }

  async sees(body: string): Promise<void> {
    await this.page.getByTestId('message').filter({ hasText: body }).waitFor();
  }

  async seesMark(body: string, mark: string): Promise<void> {
    const row = this.page.getByTestId('message').filter({ hasText: body });
    await row.locator(`[data-testid=mark][data-mark=${mark}]`).waitFor();
  }

  /** The open conversation, as it is shown. */
  conversation(): Promise<string[]> {
    return this.page.getByTestId('message').locator('.body').allTextContents();
  }

  /** From now on every mark that a message of this window shows is kept, however short it is to be seen. */
  async keepMarks(): Promise<void> {
    await this.page.evaluate(`{
      const seen = (window.marksSeen = {});
      const keep = (row, mark) => {
        const marks = (seen[row.querySelector('.body').textContent] ??= []);
        if (mark && marks.at(-1) !== mark) marks.push(mark);
      };
      new MutationObserver((changes) => {
        for (const { type, target, oldValue, addedNodes } of changes) {
          const rows = type === 'attributes' ? [target] : [...addedNodes].filter((node) => node.dataset?.testid === 'message');
          for (const row of rows.filter((each) => each.dataset.own === 'true')) keep(row, oldValue);
        }
        for (const row of document.querySelectorAll('[data-testid=message][data-own=true]')) keep(row, row.dataset.mark);
      }).observe(document.body, { subtree: true, childList: true, attributeFilter: ['data-mark'], attributeOldValue: true });
    }`);
  }

  marksOf(body: string): Promise<string[]> {
    return this.page.evaluate(`window.marksSeen[${JSON.stringify(body)}] ?? []`);
  }
}
