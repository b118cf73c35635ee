import { type PageDeps, pageMessages } from '@parley/domain';
import type { Metrics } from '@parley/runtime';
import { forCaller } from './cases/for-caller.ts';
import type { Cases } from './context.ts';

/** Counts how often a channel's newest page came from its window alone: that is the cache of recent messages. */
export function measureRecent(cases: Cases, deps: PageDeps, metrics: Metrics): Cases {
  const requests = metrics.counter('cache_requests_total', 'Copies that were asked for', ['cache', 'outcome']);
  const page: ReturnType<typeof pageMessages> = async (userId, input) => {
    let outcome = 'hit';
    const archive: PageDeps['archive'] = {
      ...deps.archive,
      page: (query) => {
        outcome = 'miss';
        return deps.archive.page(query);
      },
    };
    const answer = await pageMessages({ ...deps, archive })(userId, input);
    if (!input.before && !input.after && !input.around) requests.inc({ cache: 'recent', outcome });
    return answer;
  };
  return { ...cases, 'message.page': forCaller(page) };
}
