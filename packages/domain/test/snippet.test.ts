import { describe, expect, it } from 'vitest';
import { snippetOf } from '../src/snippet.ts';

describe('[SRCH-1] a snippet', () => {
  it('of a short body is the body', () => {
    expect(snippetOf('Hello there', 'there')).toBe('Hello there');
  });

  it('of a long one is the part around the first match, marked where it was cut', () => {
    const body = `${'a '.repeat(500)}needle${' b'.repeat(500)} needle`;
    const snippet = snippetOf(body, 'NEEDLE');
    expect(snippet).toMatch(/^…[a ]{40}needle[b ]{114}…$/);
  });

  it('at either end is cut at the other', () => {
    expect(snippetOf(`needle${' b'.repeat(500)}`, 'needle')).toMatch(/^needle[b ]{154}…$/);
    expect(snippetOf(`${'a '.repeat(500)}needle`, 'needle')).toMatch(/^…[a ]{154}needle$/);
  });

  it('keeps a match that is longer than itself', () => {
    const match = 'x'.repeat(300);
    expect(snippetOf(`${'a'.repeat(100)}${match}${'b'.repeat(100)}`, match)).toBe(`…${'a'.repeat(40)}${match}…`);
  });

  it.each([
    ['Cyrillic', 'ВСТРЕТИМСЯ', 'Встретимся у памятника'],
    ['Greek at the end of a word', 'ΟΔΥΣΣΕΥΣ', 'οδυσσευσ'],
    ['Chinese and Japanese', '会議は', '明日の会議は十時から'],
    ['letters that grow in lower case', 'nbul', 'İSTANBUL'],
    ['a ligature before it', 'needle', 'İİİİİneedle'],
  ])('finds %s whatever the case', (_script, query, words) => {
    const body = `${'–'.repeat(400)}${words}${'–'.repeat(400)}`;
    expect(snippetOf(body, query)).toContain(words);
  });

  it('is never cut inside a code point', () => {
    for (let shift = 0; shift < 4; shift++) {
      const snippet = snippetOf(`${'b'.repeat(shift)}${'😀'.repeat(300)}needle${'😀'.repeat(300)}`, 'needle');
      expect(snippet.isWellFormed()).toBe(true);
      expect([...snippet].filter((point) => point === '😀')).toHaveLength(154);
    }
  });

  it('without a match that it can see is the beginning', () => {
    expect(snippetOf('a'.repeat(400), 'zzz')).toBe(`${'a'.repeat(160)}…`);
  });
});
