import type { Browser } from 'playwright-core';
import { BrowserWindow } from './browser-window.ts';

const SIZE = { width: 1200, height: 750 };

/** Lets a few people talk on a running stack and saves what one of them sees as a PNG. */
export async function takeChatPicture(browser: Browser, url: string, path: string): Promise<void> {
  const enter = async (name: string) => {
    const context = await browser.newContext({ viewport: SIZE, colorScheme: 'light', locale: 'en-GB' });
    const window = new BrowserWindow(await context.newPage());
    await window.signIn(url, name);
    return window;
  };
  const [ada, grace, linus] = [await enter('Ada'), await enter('Grace'), await enter('Linus')];
  const reply = async (who: BrowserWindow, to: string, bodies: string[]) => {
    await who.channel(to).click();
    for (const body of bodies) {
      await who.say(body);
      await who.seesMark(body, 'persisted');
    }
  };

  const crew = await ada.chatWith('Grace, Linus, Margaret', 'Launch crew');
  await reply(ada, crew, ['Dress rehearsal on Thursday at ten?']);
  const direct = await ada.chatWith('Linus');
  await reply(linus, direct, ['Patch is up. Have a look when you can']);
  await reply(ada, direct, ['Reading it now']);
  const open = await ada.chatWith('Grace');
  await reply(grace, open, ['Morning! Did the second node come up?']);
  await reply(ada, open, ['It did. I pulled the plug on the first one while people were typing.']);
  await reply(ada, open, ['Nobody noticed.']);
  await reply(grace, open, ['Not even the ones on the train?']);
  await reply(ada, open, ['They wrote in a tunnel. It all went out once, in order.']);
  await reply(linus, crew, ['Works for me', 'I will bring the broken laptop, for science']);
  await reply(grace, open, ['Then I am out of excuses. Shipping on Friday?']);
  await ada.sees('Shipping on Friday?');
  await ada.channel(crew).getByTestId('unread').waitFor();
  await ada.say('Friday it is.');
  await ada.seesMark('Friday it is.', 'persisted');
  // The list tells of activity a few times a second only.
  await ada.channel(open).filter({ hasText: 'You: Friday it is.' }).waitFor();
  await ada.page.getByTestId('composer').blur();
  await ada.page.screenshot({ path });
  for (const window of [ada, grace, linus]) await window.page.context().close();
}
