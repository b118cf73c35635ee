import { parser } from '@prometheus-io/lezer-promql';

/** What a scrape gives: the labels that the series of each name carry. */
export type Series = ReadonlyMap<string, ReadonlySet<string>>;

/** A name with the label that is asked to have this very value. */
export interface Matched {
  readonly metric: string;
  readonly label: string;
  readonly value: string;
}

/** What an expression says, held against the series that exist. */
export interface Reading {
  /** Names and labels that do not exist, and what cannot be read at all; empty when all is well. */
  readonly problems: readonly string[];
  /** The labels that its result can carry. */
  readonly labels: ReadonlySet<string>;
  readonly metrics: ReadonlySet<string>;
  readonly matched: readonly Matched[];
}

type Node = ReturnType<typeof parser.parse>['topNode'];

const NONE: ReadonlySet<string> = new Set();

/** Reads an expression as Prometheus does; Grafana's variables must have been replaced. */
export function readPromql(expr: string, series: Series): Reading {
  const reader = new Reader(expr, series);
  const labels = reader.labelsOf(parser.parse(expr).topNode);
  return { labels, problems: reader.problems, metrics: reader.metrics, matched: reader.matched };
}

class Reader {
  readonly problems: string[] = [];
  readonly metrics = new Set<string>();
  readonly matched: Matched[] = [];
  readonly #expr: string;
  readonly #series: Series;

  constructor(expr: string, series: Series) {
    this.#expr = expr;
    this.#series = series;
  }

  labelsOf(node: Node): ReadonlySet<string> {
    if (node.type.isError) return this.#refuse(`cannot be read at ${this.#expr.slice(node.from) || 'its end'}`);
    switch (node.name) {
      case 'VectorSelector':
        return this.#selector(node);
      case 'AggregateExpr':
        return this.#aggregate(node);
      case 'BinaryExpr':
        return this.#binary(node);
      case 'FunctionCall':
        return this.#call(node);
      default:
        return union(childrenOf(node).map((child) => this.labelsOf(child)));
    }
  }

  #selector(node: Node): ReadonlySet<string> {
    const name = this.#text(node.getChild('Identifier'));
    this.metrics.add(name);
    const labels = this.#series.get(name);
    if (!labels) return this.#refuse(`there is no ${name}`);
    const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
    for (const matcher of matchers) {
      const label = this.#text(matcher.getChild('LabelName'));
      if (!labels.has(label)) this.#refuse(`${name} has no label ${label}`);
      const value = this.#text(matcher.getChild('StringLiteral')).slice(1, -1);
      if (matcher.getChild('MatchOp')?.getChild('EqlSingle')) this.matched.push({ metric: name, label, value });
    }
    for (const child of childrenOf(node)) if (child.type.isError) this.labelsOf(child);
    return labels;
  }

  #aggregate(node: Node): ReadonlySet<string> {
    const body = node.getChild('FunctionCallBody');
    const inner = body ? this.labelsOf(body) : NONE;
    const operation = this.#text(node.getChild('AggregateOp'));
    const modifier = node.getChild('AggregateModifier');
    const named = this.#labelNames(modifier?.getChild('GroupingLabels'));
    for (const label of named) if (!inner.has(label)) this.#refuse(`nothing under ${operation} has a label ${label}`);
    if (modifier?.getChild('Without')) return new Set([...inner].filter((label) => !named.includes(label)));
    if (['topk', 'bottomk'].includes(operation)) return inner;
    return new Set(named);
  }

  #binary(node: Node): ReadonlySet<string> {
    const [left, right] = [node.firstChild, node.lastChild];
    if (!left || !right) return this.#refuse('lacks a side');
    const sides = [this.labelsOf(left), this.labelsOf(right)] as const;
    const modifier = node.getChild('MatchingModifierClause');
    const [on, group] = modifier?.getChildren('GroupingLabels') ?? [];
    if (!modifier) {
      if (node.getChild('Or')) return union(sides);
      // A number carries no label and takes none away.
      return sides[0].size === 0 ? sides[1] : sides[0];
    }
    const onLabels = this.#labelNames(on);
    for (const label of onLabels) {
      if (!sides[0].has(label) || !sides[1].has(label)) this.#refuse(`one side of ${label} lacks it`);
    }
    const keepsLeft = node.getChild('And') ?? node.getChild('Unless') ?? modifier.getChild('GroupLeft');
    if (keepsLeft) return union([sides[0], new Set(this.#labelNames(group))]);
    if (modifier.getChild('GroupRight')) return union([sides[1], new Set(this.#labelNames(group))]);
    return modifier.getChild('On') ? new Set(onLabels) : sides[0];
  }

  #call(node: Node): ReadonlySet<string> {
    const called = this.#text(node.getChild('FunctionIdentifier'));
    const body = node.getChild('FunctionCallBody');
    const inner = body ? this.labelsOf(body) : NONE;
    if (called === 'label_replace') {
      const [written = ''] = (body?.getChildren('StringLiteral') ?? []).map((text) => this.#text(text).slice(1, -1));
      return union([inner, new Set([written])]);
    }
    if (called !== 'histogram_quantile') return called === 'scalar' || called === 'vector' ? NONE : inner;
    if (!inner.has('le')) this.#refuse('histogram_quantile of what has no le');
    return new Set([...inner].filter((label) => label !== 'le'));
  }

  #labelNames(list: Node | null | undefined): string[] {
    return (list?.getChildren('LabelName') ?? []).map((name) => this.#text(name));
  }

  #text(node: Node | null): string {
    return node ? this.#expr.slice(node.from, node.to) : '';
  }

  #refuse(problem: string): ReadonlySet<string> {
    this.problems.push(problem);
    return NONE;
  }
}

function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) children.push(child);
  return children;
}

function union(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return new Set(sets.flatMap((set) => [...set]));
}
