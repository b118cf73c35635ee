// Whether the process of this container lives. It asks no store: a restart would cure none.
const answer = await fetch(`http://127.0.0.1:${process.env.OPS_PORT}/livez`, {
  signal: AbortSignal.timeout(3_000),
}).catch(() => null);
process.exit(answer?.ok ? 0 : 1);
