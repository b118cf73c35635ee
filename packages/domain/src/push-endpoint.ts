/** The push services of the browsers there are. `*.` stands for any name below it. */
export const PUSH_HOSTS_DEFAULT: readonly string[] = [
  'fcm.googleapis.com',
  'android.googleapis.com',
  'jmt17.google.com',
  'updates.push.services.mozilla.com',
  '*.push.services.mozilla.com',
  'web.push.apple.com',
  '*.push.apple.com',
  '*.notify.windows.com',
];

export interface PushEndpointRules {
  readonly hosts: readonly string[];
  /** Whether this machine may be a push service, over plain HTTP too: for tests and development. */
  readonly loopback: boolean;
}

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

/**
 * Whether we push to this address. The client chose it, and a worker inside our network is to call it: only known services over HTTPS
 * on their own port, or this would be a way to call anything in there.
 */
export function isPushEndpoint(endpoint: string, { hosts, loopback }: PushEndpointRules): boolean {
  const url = URL.parse(endpoint);
  if (url?.username !== '' || url.password !== '') return false;
  if (LOOPBACK.has(url.hostname)) return loopback && (url.protocol === 'http:' || url.protocol === 'https:');
  if (url.protocol !== 'https:' || url.port !== '') return false;
  return hosts.some((host) => (host.startsWith('*.') ? url.hostname.endsWith(host.slice(1)) : url.hostname === host));
}
