/** What is drawn of a panel, as it stands in a dashboard's JSON. */
export interface PanelJson {
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr?: string; readonly legendFormat?: string; readonly instant?: boolean }[];
  readonly fieldConfig?: { readonly defaults: FieldJson };
  readonly options?: { readonly sortBy?: readonly { readonly displayName: string }[] };
  readonly transformations?: readonly { readonly options?: { readonly excludeByName?: Record<string, boolean> } }[];
}

interface FieldJson {
  readonly unit: string;
  readonly max?: number;
  readonly thresholds: { readonly steps: readonly { readonly color: string; readonly value: number | null }[] };
  readonly custom?: { readonly stacking?: { readonly mode: string } };
  readonly mappings?: readonly { readonly options: Record<string, { text: string; color?: string }> }[];
}

/** A line of a panel. */
export interface Line {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since 1970, and the value. */
  readonly points: readonly (readonly [at: number, value: number])[];
}

/** From when to when, in seconds since 1970, and how far the points are apart. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly stepS: number;
}

type RangeAnswer = { metric: Record<string, string>; values?: [number, string][]; value?: [number, string] }[];

/** Asks a Prometheus for everything that a panel shows; rejects when it refuses an expression. */
export async function readPanel(panel: PanelJson, prometheus: string, span: Span): Promise<Line[]> {
  const targets = (panel.targets ?? []).map(async ({ expr = '', legendFormat = '', instant }) => {
    const query = filled(expr, span);
    const answer = await ask(
      prometheus,
      instant
        ? ['query', { query, time: String(span.to) }]
        : ['query_range', { query, start: String(span.from), end: String(span.to), step: String(span.stepS) }],
    );
    return answer.map(({ metric, values, value }) => ({
      name: nameOf(metric, legendFormat),
      labels: metric,
      points: (values ?? (value ? [value] : [])).map(([at, text]) => [at, Number(text)] as const),
    }));
  });
  return (await Promise.all(targets)).flat();
}

/** Grafana's variables as Grafana fills them in: four scrapes, and every process. */
function filled(expr: string, { stepS }: Span): string {
  return expr.replaceAll('$__rate_interval', `${Math.max(60, 4 * stepS)}s`).replaceAll('$instance', '.*');
}

async function ask(prometheus: string, [path, asked]: [string, Record<string, string>]): Promise<RangeAnswer> {
  const response = await fetch(`${prometheus}/api/v1/${path}?${new URLSearchParams(asked)}`);
  const answer = (await response.json()) as { status: string; error?: string; data?: { result: RangeAnswer } };
  if (answer.status !== 'success' || !answer.data)
    throw new Error(`Prometheus refuses ${asked.query}: ${answer.error}`);
  return answer.data.result;
}

function nameOf(labels: Readonly<Record<string, string>>, legend: string): string {
  if (legend === '' || legend === '__auto') return '';
  return legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? '').trim();
}
