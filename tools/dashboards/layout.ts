import type { Panel } from './panel.ts';

/** Panels side by side under a heading that asks what they answer. */
export interface Row {
  readonly title: string;
  /** Of Grafana's units, 30 pixels and a gap each. */
  readonly height: number;
  readonly panels: readonly Panel[];
}

interface DashboardOptions {
  /** Never changes: links lead to it. */
  readonly uid: string;
  readonly title: string;
  readonly about: string;
  readonly rows: readonly Row[];
  /** Whether one process can be looked at alone: its name in Prometheus, of those that have this metric. */
  readonly instancesOf?: string;
  /** Where the numbers of days come from, too. */
  readonly usesPostgres?: boolean;
  readonly from?: string;
}

const SCHEMA_VERSION = 41;
const WIDTH = 24;

/** A dashboard as Grafana imports it. The same source gives the same text. */
export function dashboard(options: DashboardOptions) {
  return {
    uid: options.uid,
    title: options.title,
    description: options.about,
    tags: ['parley'],
    schemaVersion: SCHEMA_VERSION,
    editable: true,
    graphTooltip: 1,
    refresh: options.usesPostgres ? '15m' : '30s',
    time: { from: options.from ?? 'now-1h', to: 'now' },
    timezone: 'browser',
    annotations: { list: options.usesPostgres ? [] : [firing()] },
    links: [otherDashboards()],
    templating: { list: variables(options) },
    panels: placed(options.rows),
  };
}

export type Dashboard = ReturnType<typeof dashboard>;

function variables({ instancesOf, usesPostgres }: DashboardOptions) {
  if (usesPostgres) return [source('postgres', 'Postgres', 'grafana-postgresql-datasource')];
  const prometheus = source('datasource', 'Prometheus', 'prometheus');
  if (instancesOf === undefined) return [prometheus];
  const query = `label_values(${instancesOf}, instance)`;
  return [
    prometheus,
    {
      type: 'query',
      name: 'instance',
      label: 'Process',
      datasource: { type: 'prometheus', uid: '$datasource' },
      query: { query, refId: 'instances' },
      refresh: 2,
      sort: 1,
      multi: true,
      includeAll: true,
      allValue: '.*',
      current: { text: 'All', value: '$__all' },
    },
  ];
}

function source(name: string, label: string, type: string) {
  return { type: 'datasource', name, label, query: type, refresh: 1, hide: 0 };
}

/** Pages are drawn into every panel as they fire: what happened first is seen at a glance. */
function firing() {
  return {
    name: 'Pages',
    datasource: { type: 'prometheus', uid: '$datasource' },
    enable: true,
    iconColor: 'red',
    expr: 'count by (alertname) (ALERTS{alertstate="firing", severity="page"})',
  };
}

function otherDashboards() {
  return {
    title: 'Parley',
    type: 'dashboards',
    icon: 'external link',
    tooltip: '',
    tags: ['parley'],
    asDropdown: true,
    targetBlank: false,
    includeVars: false,
    keepTime: true,
  };
}

function placed(rows: readonly Row[]) {
  let y = 0;
  let id = 0;
  return rows.flatMap(({ title, height, panels }) => {
    const heading = {
      type: 'row',
      id: ++id,
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: WIDTH, h: 1 },
      panels: [],
    };
    let x = 0;
    const inRow = panels.map(({ width, ...panel }) => {
      const gridPos = { x, y: y + 1, w: width, h: height };
      x += width;
      return { ...panel, id: ++id, gridPos };
    });
    if (x !== WIDTH) throw new RangeError(`the panels of "${title}" are ${x} wide, not ${WIDTH}`);
    y += 1 + height;
    return [heading, ...inRow];
  });
}
