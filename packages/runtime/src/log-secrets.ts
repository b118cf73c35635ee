/** What stands where something was left out. */
export const HIDDEN = '[hidden]';
/** Fields that no line may carry, however deep and in whatever case. Bodies are people's words, the rest opens doors. */
export const SECRET_FIELDS: ReadonlySet<string> = new Set([
  'token',
  'password',
  'secret',
  'authorization',
  'cookie',
  'set-cookie',
  'ticket',
  'connectionparams',
  'body',
  'bodies',
]);
/** What stands in a message of an error, or anywhere in a text, and opens doors. */
const SECRET_TEXTS: readonly [pattern: RegExp, instead: string][] = [
  [/eyJ[\w-]+\.[\w-]+\.[\w-]*/g, HIDDEN],
  [/\b(bearer|basic)\s+[\w.~+/=-]+/gi, `$1 ${HIDDEN}`],
  [/(:\/\/[^\s/:@"]*):[^\s@"]+@/g, `$1:${HIDDEN}@`],
  [/([?&](?:token|ticket|password|secret|sig|signature)=)[^\s&"'\\]+/gi, `$1${HIDDEN}`],
];
/** Fields of an error that say what it is. Others may hold what was sent: a command with its arguments, an address with its key. */
const ERROR_FIELDS = ['code', 'errno', 'syscall', 'statusCode', 'retryAfterMs', 'dependency', 'constraint', 'epoch'];
const DEPTH_MAX = 8;

/** A text without what looks like a credential. */
export function withoutSecrets(text: string): string {
  return SECRET_TEXTS.reduce((clean, [pattern, instead]) => clean.replace(pattern, instead), text);
}

/** The same value with secret fields hidden, errors told by what they are, and nothing deeper than a reader looks. */
export function showable(value: unknown, depth = 0): unknown {
  if (value instanceof Error) return errorShown(value, depth);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_MAX) return '[deeper]';
  if (Array.isArray(value)) return value.map((one) => showable(one, depth + 1));
  if ('toJSON' in value) return value;
  const shown = Object.entries(value).map(([name, one]) => [
    name,
    SECRET_FIELDS.has(name.toLowerCase()) ? HIDDEN : showable(one, depth + 1),
  ]);
  return Object.fromEntries(shown);
}

function errorShown(error: Error, depth: number): Record<string, unknown> {
  const message = messageOf(error);
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const fields = ERROR_FIELDS.flatMap((name) => {
    const value: unknown = Reflect.get(error, name);
    return typeof value === 'string' || typeof value === 'number' ? [[name, value] as const] : [];
  });
  const inner = depth >= DEPTH_MAX ? undefined : error.cause;
  return {
    type: error.name,
    message,
    ...Object.fromEntries(fields),
    stack: [`${error.name}: ${message}`, ...frames].join('\n'),
    ...(inner instanceof Error && { cause: errorShown(inner, depth + 1) }),
    ...(error instanceof AggregateError && { errors: error.errors.map((one) => showable(one, depth + 1)) }),
  };
}

/** Some errors quote what they were given. */
function messageOf(error: Error): string {
  // The parser shows what it could not read.
  if (error instanceof SyntaxError) return 'this is no JSON';
  // Redis repeats the beginning of a command that it does not know.
  const [said = ''] = error.message.split(', with args beginning with');
  return withoutSecrets(said);
}
