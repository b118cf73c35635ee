import { reservePort } from '@parley/runtime';

interface OpsPortRequest {
  /** Null: nobody asked for a certain one. */
  readonly wanted: number | null;
  readonly publicPort: number;
  readonly host: string;
}

/** The operators' port: the one that was asked for, else the one after the public port, else, when that is taken, a free one. */
export async function findOpsPort({ wanted, publicPort, host }: OpsPortRequest): Promise<number> {
  if (wanted !== null) return (await reservePort({ port: wanted, host, setting: 'OPS_PORT' })).port;
  const next = publicPort < 65_535 ? publicPort + 1 : 0;
  try {
    return (await reservePort({ port: next, host, setting: 'OPS_PORT' })).port;
  } catch (error) {
    if (!(error instanceof Error) || !/taken|may not be used/.test(error.message)) throw error;
    return (await reservePort({ port: 0, host, setting: 'OPS_PORT' })).port;
  }
}
