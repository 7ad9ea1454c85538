import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { count, exponential, pipeline, type Pipeline } from '@cairn/resilience';
import { inSpan } from '@cairn/telemetry';
import type { Config } from './config.ts';
import { asStorageError, statusOf } from './storage-error.ts';

export type FilesOptions = Pick<Config, Extract<keyof Config, `S3_${string}`>>;

/** Files in object storage, each written once and never again. */
export class FilesStore {
  readonly policies: Pipeline;
  readonly #client: S3Client;
  /** Signs links with the address that customers reach; it never sends anything. */
  readonly #signer: S3Client;
  readonly #bucket: string;

  constructor(options: FilesOptions) {
    this.#client = clientOf(options, options.S3_ENDPOINT);
    this.#signer = clientOf(options, options.S3_PUBLIC_ENDPOINT || options.S3_ENDPOINT, { forLinks: true });
    this.#bucket = options.S3_BUCKET;
    this.policies = policiesOf(options);
  }

  /**
   * Stores a file unless there is one of that name, and tells how large the stored one is. A second delivery, a second
   * worker, and a try whose answer was lost all end here with `created: false`.
   */
  async putOnce(
    key: string,
    body: Uint8Array,
    contentType: string,
    signal?: AbortSignal,
  ): Promise<{ created: boolean; sizeBytes: number }> {
    const put = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: body,
      ContentType: contentType,
      IfNoneMatch: '*',
    });
    const created = await this.#send(
      's3 put',
      (abortSignal) => createdBy(this.#client.send(put, { abortSignal })),
      signal,
    );
    if (created) return { created, sizeBytes: body.byteLength };
    const head = new HeadObjectCommand({ Bucket: this.#bucket, Key: key });
    const { ContentLength } = await this.#send(
      's3 head',
      (abortSignal) => this.#client.send(head, { abortSignal }),
      signal,
    );
    return { created, sizeBytes: ContentLength! };
  }

  /** Each try is a span of its own. */
  #send<T>(name: string, request: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.policies.execute(
      (call) => inSpan(name, { kind: 'client' }, () => request(call.signal).catch(rethrow)),
      { ...(signal && { signal }) },
    );
  }

  /** A link that anybody may follow for `ttlS` seconds; S3 allows 7 days at most. Made here, without a request. */
  link(key: string, ttlS: number, now: Date): Promise<string> {
    const get = new GetObjectCommand({ Bucket: this.#bucket, Key: key });
    return getSignedUrl(this.#signer, get, { expiresIn: ttlS, signingDate: now });
  }

  /** Part of `migrate`. True when the bucket was not there. */
  async ensureBucket(): Promise<boolean> {
    try {
      await this.#client.send(new CreateBucketCommand({ Bucket: this.#bucket }));
      return true;
    } catch (error) {
      if (['BucketAlreadyOwnedByYou', 'BucketAlreadyExists'].includes((error as Error).name)) return false;
      throw error;
    }
  }

  /** Rejects when the bucket can't be reached. Past the breaker: a probe must neither open nor close it. */
  async ping(): Promise<void> {
    const head = new HeadBucketCommand({ Bucket: this.#bucket });
    await this.#client.send(head, { abortSignal: AbortSignal.timeout(1000) });
  }

  close(): void {
    this.#client.destroy();
    this.#signer.destroy();
  }
}

function clientOf(options: FilesOptions, endpoint: string, { forLinks = false } = {}): S3Client {
  return new S3Client({
    endpoint,
    region: options.S3_REGION,
    credentials: { accessKeyId: options.S3_ACCESS_KEY_ID, secretAccessKey: options.S3_SECRET_ACCESS_KEY },
    forcePathStyle: true,
    // The SDK checks what it sends and receives; a link is followed by a browser, which does neither.
    ...(forLinks && {
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    }),
    // Ours: the SDK's own retries know nothing of the breaker and would multiply with those below.
    maxAttempts: 1,
  });
}

/** Every call is safe to repeat, a conditional put included: what a lost try has stored, the next one finds. */
function policiesOf(options: FilesOptions): Pipeline {
  return pipeline({ name: 's3', isFailure: (error) => (error as { transient?: unknown }).transient === true })
    .deadline(options.S3_DEADLINE_MS)
    .retry({
      attempts: options.S3_ATTEMPTS,
      idempotent: true,
      backoff: exponential({ base: options.S3_RETRY_BASE_MS, max: options.S3_RETRY_MAX_MS }),
      jitter: options.S3_RETRY_JITTER,
    })
    .breaker({
      window: count(options.S3_BREAKER_WINDOW_CALLS),
      failureRate: options.S3_BREAKER_FAILURE_PERCENT / 100,
      minCalls: options.S3_BREAKER_MIN_CALLS,
      openFor: options.S3_BREAKER_OPEN_MS,
      halfOpen: {
        calls: options.S3_BREAKER_PROBES,
        successes: options.S3_BREAKER_SUCCESSES,
      },
    })
    .bulkhead({ max: options.S3_MAX_CONCURRENT, queue: options.S3_MAX_QUEUED })
    .timeout(options.S3_TIMEOUT_MS);
}

function rethrow(error: unknown): never {
  throw asStorageError(error);
}

/** 412 answers `If-None-Match: *`: somebody was here before. That is an outcome, not a failure. */
function createdBy(put: Promise<unknown>): Promise<boolean> {
  return put.then(
    () => true,
    (error: unknown) => {
      if (statusOf(error) === 412) return false;
      throw error;
    },
  );
}
