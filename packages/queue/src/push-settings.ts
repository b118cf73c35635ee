import { PUSH_HOSTS_DEFAULT } from '@parley/domain';
import { list, setting, text } from '@parley/runtime';

/** What both who takes push subscriptions and who uses them must know. */
export const pushSettings = {
  VAPID_PUBLIC_KEY: setting(
    text().nullable(),
    null,
    'Key that browsers subscribe with (`npx web-push generate-vapid-keys`); without it nothing is pushed',
  ),
  PUSH_HOSTS: setting(
    list(),
    PUSH_HOSTS_DEFAULT,
    'Push services that are called, with commas; `*.` stands for any name below. Nothing else is, whatever a client subscribes',
  ),
};
