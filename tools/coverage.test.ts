import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** How many demands each section holds. None goes without a decision. */
const ROWS: Record<string, number> = {
  'Caches, TTLs, keys': 47,
  'Metrics, logs, endpoints': 32,
  'Connections and realtime': 31,
  'Sending, persistence, delivery': 44,
  'Environment and deployment': 11,
  Presence: 13,
  'Limits and access': 19,
  Database: 46,
  'Alerts and dashboards': 12,
};

interface Row {
  readonly section: string;
  readonly demand: string;
  readonly cells: readonly string[];
}

/** The rows of all tables, without their heads. */
function rowsOf(markdown: string): Row[] {
  return markdown.split(/^## /m).flatMap((text) => {
    const [section = '', ...lines] = text.split('\n');
    const rows = lines.filter((line) => line.startsWith('|')).slice(2);
    return rows.map((line) => {
      const cells = line.split('|').slice(1, -1);
      return { section, demand: cells[0]?.trim() ?? '', cells: cells.map((cell) => cell.trim()) };
    });
  });
}

/** Rows that no rule keeps, or one that the specification does not have. */
function gaps(markdown: string, spec: string): string[] {
  const rules = new Set([...spec.matchAll(/^- \*\*\[([A-Z]+-\d+)\]\*\*/gm)].map((match) => match[1]));
  return rowsOf(markdown).flatMap(({ section, demand, cells }) => {
    const [, seed = '', keptBy = ''] = cells;
    const where = `${section}: ${demand}`;
    if (cells.length !== 4 || demand === '' || !/^00[0-4](, 00[0-4])*$/.test(seed)) return [`${where} is no row`];
    if (!/^`[A-Z]+-\d+`(, `[A-Z]+-\d+`)*$/.test(keptBy)) return [`${where} names no rule`];
    const named = [...keptBy.matchAll(/[A-Z]+-\d+/g)].map(([id]) => id);
    return named.filter((id) => !rules.has(id)).map((id) => `${where} names ${id}, which is no rule`);
  });
}

function countsOf(markdown: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { section } of rowsOf(markdown)) counts[section] = (counts[section] ?? 0) + 1;
  return counts;
}

const page = readFileSync('docs/coverage.md', 'utf8');
const spec = readFileSync('packages/protocol/SPEC.md', 'utf8');

describe('docs/coverage.md', () => {
  it('[RUN-93] names for each demand rules that exist', () => {
    expect(gaps(page, spec)).toEqual([]);
  });

  it('[RUN-93] has every demand', () => {
    expect(countsOf(page)).toEqual(ROWS);
  });

  it('[RUN-93] names, outside of its tables too, no rule that does not exist', () => {
    const named = [...page.matchAll(/`([A-Z]+-\d+)`/g)].map((match) => match[1] ?? '');
    expect(named.filter((id) => !spec.includes(`**[${id}]**`))).toEqual([]);
  });

  describe('[RUN-93] control: what is planted is seen', () => {
    const row = /^\| message size.*\n/m;
    const rowOf = (keptBy: string) => `| message size, 2 KB | 001 | ${keptBy} | |\n`;
    const where = 'Limits and access: message size, 2 KB';

    it('a row without a rule', () => {
      expect(gaps(page.replace(row, rowOf('')), spec)).toEqual([`${where} names no rule`]);
    });

    it('a rule that is none', () => {
      const planted = page.replace(row, rowOf('`SEND-1`, `SEND-999`'));
      expect(gaps(planted, spec)).toEqual([`${where} names SEND-999, which is no rule`]);
      expect(gaps(page, spec.replace('**[MEMBER-52]**', '**[MEMBER-520]**'))).toEqual([
        'Limits and access: members per channel: `member_count` names MEMBER-52, which is no rule',
      ]);
    });

    it('a row that lacks a cell', () => {
      expect(gaps(page.replace(row, '| message size, 2 KB | `SEND-1` | |\n'), spec)).toEqual([`${where} is no row`]);
    });

    it('a row that was removed', () => {
      const counts = { ...ROWS, 'Limits and access': (ROWS['Limits and access'] ?? 0) - 1 };
      expect(countsOf(page.replace(row, ''))).toEqual(counts);
      expect(counts).not.toEqual(ROWS);
    });
  });
});
