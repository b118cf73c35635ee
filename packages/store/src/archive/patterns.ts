/** A text as `like` takes it literally: what it would read as a wildcard is escaped. */
export function literalPattern(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
