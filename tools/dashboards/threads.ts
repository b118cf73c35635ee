import { dashboard } from './layout.ts';
import { lines, rows, stat } from './panel.ts';
import { PICKED } from './promql.ts';

const of = PICKED;

/** The processes themselves, and the threads in them. */
export const threads = dashboard({
  uid: 'parley-threads',
  title: 'Parley: Node threads',
  about: 'Event loops, heaps, CPU and memory, deaths, versions.',
  instancesOf: 'parley_build_info',
  rows: [
    {
      title: 'Threads',
      height: 7,
      panels: [
        lines({
          title: 'Event loop busy',
          about: 'Of 1, each thread. Limits shrink by themselves near 1.',
          unit: 'percentunit',
          width: 8,
          max: 1,
          queries: [
            {
              expr: `max by (instance, thread) (parley_thread_event_loop_utilization{${of}})`,
              legend: '{{instance}} {{thread}}',
            },
          ],
          limits: { warn: 0.7, bad: 0.9 },
        }),
        lines({
          title: 'Event loop late (p99)',
          about: 'How long what is due has to wait.',
          unit: 's',
          width: 8,
          queries: [
            {
              expr: `max by (instance, thread) (parley_thread_event_loop_lag_seconds{${of}})`,
              legend: '{{instance}} {{thread}}',
            },
          ],
          limits: { warn: 0.05, bad: 0.2 },
        }),
        lines({
          title: 'Heap',
          about: 'Of each thread. What rises for days and never falls is a leak.',
          unit: 'bytes',
          width: 8,
          queries: [
            {
              expr: `max by (instance, thread) (parley_thread_heap_used_bytes{${of}})`,
              legend: '{{instance}} {{thread}}',
            },
          ],
        }),
      ],
    },
    {
      title: 'Processes',
      height: 7,
      panels: [
        lines({
          title: 'CPU, of what it may use',
          about: 'Of 1.',
          unit: 'percentunit',
          width: 6,
          max: 1,
          queries: [
            {
              expr: `sum by (job, instance) (rate(process_cpu_seconds_total{${of}}[$__rate_interval]))
/ on (job, instance) parley_process_cpu_limit_cores`,
              legend: '{{instance}}',
            },
          ],
          limits: { warn: 0.6, bad: 0.8 },
        }),
        lines({
          title: 'Memory, of what it may use',
          about: 'Resident; of 1.',
          unit: 'percentunit',
          width: 6,
          max: 1,
          queries: [
            {
              expr: `process_resident_memory_bytes{${of}} / on (job, instance) parley_process_memory_limit_bytes`,
              legend: '{{instance}}',
            },
          ],
          limits: { warn: 0.7, bad: 0.85 },
        }),
        lines({
          title: 'Garbage collection',
          about: 'Share of time of the main thread.',
          unit: 'percentunit',
          width: 6,
          queries: [
            {
              expr: `sum by (instance) (rate(nodejs_gc_duration_seconds_sum{${of}}[$__rate_interval]))`,
              legend: '{{instance}}',
            },
          ],
        }),
        lines({
          title: 'Open files',
          about: 'Each connection is one.',
          unit: 'short',
          width: 6,
          queries: [{ expr: `process_open_fds{${of}}`, legend: '{{instance}}' }],
        }),
      ],
    },
    {
      title: 'Life and death',
      height: 6,
      panels: [
        stat({
          title: 'Threads that serve',
          about: 'Of each api.',
          unit: 'short',
          width: 5,
          queries: [{ expr: `parley_threads_ready{${of}}`, legend: '{{instance}}' }],
        }),
        lines({
          title: 'Died or silent',
          about:
            'Deaths in the last 15 minutes, stuck ones that were ended among them; threads that did not answer the last scrape.',
          unit: 'short',
          width: 7,
          queries: [
            {
              expr: `sum by (instance) (increase(parley_thread_deaths_total{${of}}[15m]))`,
              legend: '{{instance}} died',
            },
            {
              expr: `sum by (instance) (increase(parley_thread_stalls_total{${of}}[15m]))`,
              legend: '{{instance}} stuck',
            },
            { expr: `sum by (instance) (parley_threads_silent{${of}})`, legend: '{{instance}} silent' },
          ],
          limits: { warn: 1, bad: 1 },
        }),
        lines({
          title: 'What load leaves of the limits',
          about: 'Of 1, on the busiest thread.',
          unit: 'percentunit',
          width: 5,
          max: 1,
          queries: [{ expr: `min by (of) (parley_limit_load_factor{${of}})`, legend: '{{of}}' }],
        }),
        rows({
          title: 'Versions',
          about: 'Two at once: a rollout is under way. Workers go first.',
          unit: 'short',
          width: 7,
          queries: [{ expr: 'count by (job, version, node) (parley_build_info)', legend: '' }],
        }),
      ],
    },
  ],
});
