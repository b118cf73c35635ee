/** Where a panel's numbers come from. */
interface PromqlQuery {
  readonly expr: string;
  /** What a series is called; `{{label}}` stands for the value of its label. */
  readonly legend: string;
}

/** What a value means, from the best to the worst: below `bad` it is orange, from there on red. */
interface Limits {
  readonly warn: number;
  readonly bad: number;
}

interface PanelOptions {
  readonly title: string;
  /** What it shows and what to do with it; the little `i` of the panel. */
  readonly about: string;
  /** As Grafana names units: `s`, `bytes`, `ops`, `percentunit`, `short`. */
  readonly unit: string;
  readonly queries: readonly PromqlQuery[];
  /** Of 24. */
  readonly width: number;
  readonly limits?: Limits;
  readonly decimals?: number;
  readonly max?: number;
  readonly stacked?: boolean;
  /** Words in place of numbers: `{ 0: { text: 'Yes', color: 'green' } }`. */
  readonly words?: Readonly<Record<string, { text: string; color?: string }>>;
}

/** A panel that has no place yet. */
export interface Panel {
  readonly type: 'stat' | 'timeseries' | 'table';
  readonly title: string;
  readonly description: string;
  readonly width: number;
  readonly datasource: { readonly type: string; readonly uid: string };
  readonly targets: readonly Readonly<Record<string, unknown>>[];
  readonly fieldConfig: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly transformations?: readonly { readonly id: string; readonly options: unknown }[];
}

const PROMETHEUS = { type: 'prometheus', uid: '$datasource' } as const;
const POSTGRES = { type: 'grafana-postgresql-datasource', uid: '$postgres' } as const;

/** One number, or one for each series, with its recent past behind it. */
export function stat(options: PanelOptions): Panel {
  return {
    ...common(options, { instant: false }),
    type: 'stat',
    fieldConfig: { defaults: fieldOf(options), overrides: [] },
    options: {
      colorMode: options.limits || options.words ? 'background' : 'value',
      graphMode: options.words ? 'none' : 'area',
      justifyMode: 'center',
      orientation: 'auto',
      percentChangeColorMode: 'standard',
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      showPercentChange: false,
      textMode: options.queries.length > 1 || options.queries.some(({ legend }) => legend !== '') ? 'auto' : 'value',
      wideLayout: true,
    },
  };
}

/** Lines over time. A limit is drawn as a dashed line. */
export function lines(options: PanelOptions): Panel {
  const custom = {
    drawStyle: 'line',
    lineWidth: 1,
    fillOpacity: options.stacked ? 30 : 5,
    showPoints: 'never',
    spanNulls: false,
    stacking: { mode: options.stacked ? 'normal' : 'none', group: 'A' },
    thresholdsStyle: { mode: options.limits ? 'dashed' : 'off' },
  };
  return {
    ...common(options, { instant: false }),
    type: 'timeseries',
    fieldConfig: { defaults: { ...fieldOf(options), min: 0, custom }, overrides: [] },
    options: {
      legend: { calcs: ['lastNotNull'], displayMode: 'list', placement: 'bottom', showLegend: true },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  };
}

interface RowsOptions extends PanelOptions {
  /** Columns that nobody needs to see. */
  readonly hidden?: readonly string[];
  /** The column that rows are sorted by, upwards. */
  readonly sortedBy?: string;
}

/** A row for each series of this moment: its labels, and its value. */
export function rows(options: RowsOptions): Panel {
  const excludeByName = Object.fromEntries(['Time', '__name__', ...(options.hidden ?? [])].map((name) => [name, true]));
  const shape = table(options);
  const { sortedBy } = options;
  return {
    ...shape,
    options: { ...shape.options, ...(sortedBy && { sortBy: [{ displayName: sortedBy, desc: false }] }) },
    transformations: [{ id: 'organize', options: { excludeByName } }],
  };
}

interface SqlOptions extends Omit<PanelOptions, 'queries'> {
  readonly sql: string;
}

/** Bars or lines by day from Postgres: the first column is the time, every other one a series. */
export function days(options: SqlOptions): Panel {
  const shape = lines({ ...options, queries: [] });
  return { ...shape, datasource: POSTGRES, targets: [sqlTarget(options.sql, 'time_series')] };
}

/** A table of what a statement of SQL gives. */
export function list(options: SqlOptions): Panel {
  return { ...table({ ...options, queries: [] }), datasource: POSTGRES, targets: [sqlTarget(options.sql, 'table')] };
}

function table(options: PanelOptions): Panel {
  const custom = { align: 'auto', cellOptions: { type: 'auto' }, inspect: false };
  return {
    ...common(options, { instant: true }),
    type: 'table',
    fieldConfig: { defaults: { ...fieldOf(options), custom }, overrides: [] },
    options: { cellHeight: 'sm', frameIndex: 0, showHeader: true },
  };
}

function common(options: PanelOptions, { instant }: { instant: boolean }) {
  return {
    title: options.title,
    description: options.about,
    width: options.width,
    datasource: PROMETHEUS,
    targets: options.queries.map(({ expr, legend }, i) => ({
      refId: String.fromCharCode(65 + i),
      datasource: PROMETHEUS,
      expr,
      legendFormat: legend === '' ? '__auto' : legend,
      instant,
      range: !instant,
      ...(instant && { format: 'table' }),
    })),
  };
}

function sqlTarget(sql: string, format: 'time_series' | 'table') {
  return { refId: 'A', datasource: POSTGRES, editorMode: 'code', format, rawQuery: true, rawSql: sql };
}

function fieldOf({ unit, limits, decimals, max, words }: PanelOptions) {
  const steps = limits
    ? [
        { color: 'green', value: null },
        { color: 'orange', value: limits.warn },
        { color: 'red', value: limits.bad },
      ]
    : [{ color: 'green', value: null }];
  return {
    unit,
    color: { mode: limits || words ? 'thresholds' : 'palette-classic' },
    thresholds: { mode: 'absolute', steps },
    ...(decimals !== undefined && { decimals }),
    ...(max !== undefined && { max }),
    ...(words && { mappings: [{ type: 'value', options: words }] }),
  };
}
