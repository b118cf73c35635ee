const UNSAFE = /[^A-Za-z0-9 ._-]/g;
// What RFC 5987 lets stand, of what encodeURIComponent leaves.
const NOT_ATTRIBUTE = /['()*]/g;

/** Says how a file is called, in any script: the full name for browsers of today, a plain one for the rest. */
export function contentDisposition(kind: 'attachment' | 'inline', fileName: string): string {
  const name = fileName.toWellFormed();
  const encoded = encodeURIComponent(name).replace(
    NOT_ATTRIBUTE,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${name.replace(UNSAFE, '_')}"; filename*=UTF-8''${encoded}`;
}
