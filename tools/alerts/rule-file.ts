/** A series that Prometheus works out and keeps. */
export interface Recording {
  readonly record: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** `page`: somebody is woken. `ticket`: somebody looks on the next working day. */
type Severity = 'page' | 'ticket';

/** Something that operators are told. Its name is also the heading of its section in the runbook. */
export interface Alert {
  readonly alert: string;
  readonly expr: string;
  /** How long it must hold first; a Prometheus duration. */
  readonly for: string;
  readonly severity: Severity;
  /** One line, for a phone. May use `{{ $labels.x }}` and `{{ $value }}`. */
  readonly summary: string;
  /** What users notice. */
  readonly impact: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Rules that are evaluated together, in this order. */
export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly (Recording | Alert)[];
}

/** The file as Prometheus reads it. `runbookUrl` is what the links to the runbook begin with. */
export function renderRules(groups: readonly RuleGroup[], runbookUrl: string): string {
  const lines = groups.flatMap(({ name, rules }) => [
    `  - name: ${name}`,
    '    rules:',
    ...rules.flatMap((rule) => ('record' in rule ? recordingLines(rule) : alertLines(rule, runbookUrl))),
  ]);
  return ['groups:', ...lines, ''].join('\n');
}

function recordingLines({ record, expr, labels = {} }: Recording): string[] {
  return [`      - record: ${record}`, ...exprLines(expr), ...mapLines('labels', labels)];
}

function alertLines(rule: Alert, runbookUrl: string): string[] {
  return [
    `      - alert: ${rule.alert}`,
    ...exprLines(rule.expr),
    `        for: ${rule.for}`,
    ...mapLines('labels', { severity: rule.severity, ...rule.labels }),
    ...mapLines('annotations', {
      summary: rule.summary,
      description: rule.impact,
      runbook_url: `${runbookUrl}#${rule.alert.toLowerCase()}`,
    }),
  ];
}

function exprLines(expr: string): string[] {
  return ['        expr: |-', ...expr.split('\n').map((line) => `          ${line}`)];
}

function mapLines(name: string, map: Readonly<Record<string, string>>): string[] {
  const entries = Object.entries(map);
  if (entries.length === 0) return [];
  // A JSON string is a YAML string.
  return [`        ${name}:`, ...entries.map(([key, value]) => `          ${key}: ${JSON.stringify(value)}`)];
}
