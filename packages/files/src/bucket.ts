import type { S3Client } from '@aws-sdk/client-s3';
import type { StorageSettings } from './settings.ts';

/** A bucket and who asks for it. */
export interface BucketSettings {
  readonly bucket: string;
  readonly endpoint: string | null;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly forcePathStyle: boolean;
}

type Sdk = typeof import('@aws-sdk/client-s3');

/** The SDK, a client of it, and the name of the bucket. */
export interface OpenBucket {
  readonly sdk: Sdk;
  readonly client: S3Client;
  readonly bucket: string;
}

const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;
const ATTEMPTS = 3;

/** A bucket that is opened when it is first asked for: the SDK takes 25 MB a thread, which many deployments never need. */
export class Bucket {
  readonly #settings: BucketSettings;
  #opened: Promise<OpenBucket> | undefined;

  constructor(settings: BucketSettings) {
    this.#settings = settings;
  }

  open(): Promise<OpenBucket> {
    this.#opened ??= openBucket(this.#settings);
    return this.#opened;
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    opened?.client.destroy();
  }
}

async function openBucket(settings: BucketSettings): Promise<OpenBucket> {
  const { bucket, endpoint, region, accessKeyId, secretAccessKey, forcePathStyle } = settings;
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({
    region,
    ...(endpoint !== null && { endpoint }),
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle,
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
    // Else a link to upload is signed with the checksum of an empty body, which no file has.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  return { sdk, client, bucket };
}

/** The bucket of the settings; null: attachments lie in a folder. */
export function bucketOf(settings: StorageSettings): Bucket | null {
  const { S3_BUCKET: bucket, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = settings;
  if (bucket === null) return null;
  return new Bucket({
    bucket,
    endpoint: settings.S3_ENDPOINT,
    region: settings.S3_REGION,
    accessKeyId: S3_ACCESS_KEY_ID ?? '',
    secretAccessKey: S3_SECRET_ACCESS_KEY ?? '',
    forcePathStyle: settings.S3_FORCE_PATH_STYLE,
  });
}
