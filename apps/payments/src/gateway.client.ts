import {
  count,
  exponential,
  pipeline,
  readRetryAfter,
  type CallOptions,
  type Pipeline,
} from '@cairn/resilience';
import { z } from 'zod';
import type { Config } from './config.ts';
import type { ChargeResult, RefundResult } from './payment.ts';
import type { Charge } from './reconciliation.ts';

type Settings = Pick<Config, Extract<keyof Config, `GATEWAY_${string}`>>;

export type ChargeRequest = { amount: number; currency: string; cardToken: string; reference: string };

// Only the fields that payments reads.
const charge = z.object({
  id: z.string(),
  status: z.enum(['succeeded', 'declined']),
  declineCode: z.string().optional(),
});
const listed = charge.extend({
  amount: z.number().int(),
  currency: z.string(),
  refundedAmount: z.number().int(),
});
const page = z.object({
  charges: z.array(listed.extend({ idempotencyKey: z.string() })),
  hasMore: z.boolean(),
});
const refunded = z.object({ id: z.string() });
const givenBack = z.object({ amount: z.number().default(0), refundedAmount: z.number().default(0) });
/** The id of a refund that the gateway made under a key that is not ours. */
const NOT_OURS = 'not_ours';
const problem = z.object({ code: z.string().optional(), detail: z.string().optional() });

/** The gateway gave no usable answer. It may have acted all the same: ask again under the same key. */
export class GatewayUnavailableError extends Error {
  readonly code = 'gateway_unavailable';
  readonly transient = true;
  /** How long it asks to be left alone. */
  readonly retryAfterMs?: number;
  constructor(message: string, { headers, ...options }: ErrorOptions & { headers?: Headers } = {}) {
    super(message, options);
    const retryAfterMs = readRetryAfter({ headers });
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
  }
}

/**
 * The payment gateway behind deadline, retry, breaker, bulkhead and timeout. Every call that moves money carries a key
 * that belongs to the payment and not to the attempt, so that a repeated call moves it once; a question may be repeated
 * anyway.
 */
export class GatewayClient {
  readonly policies: Pipeline;
  readonly #url: string;
  readonly #apiKey: string;

  constructor(settings: Settings) {
    this.#url = settings.GATEWAY_URL;
    this.#apiKey = settings.GATEWAY_API_KEY;
    this.policies = pipeline({ name: 'payment gateway', isFailure: saysTransient })
      .deadline(settings.GATEWAY_DEADLINE_MS)
      .retry({
        attempts: settings.GATEWAY_ATTEMPTS,
        idempotent: true,
        backoff: exponential({ base: settings.GATEWAY_RETRY_BASE_MS, max: settings.GATEWAY_RETRY_MAX_MS }),
        jitter: settings.GATEWAY_RETRY_JITTER,
      })
      .breaker({
        window: count(settings.GATEWAY_BREAKER_WINDOW_CALLS),
        failureRate: settings.GATEWAY_BREAKER_FAILURE_PERCENT / 100,
        minCalls: settings.GATEWAY_BREAKER_MIN_CALLS,
        openFor: settings.GATEWAY_BREAKER_OPEN_MS,
        halfOpen: {
          calls: settings.GATEWAY_BREAKER_PROBES,
          successes: settings.GATEWAY_BREAKER_SUCCESSES,
        },
      })
      .bulkhead({ max: settings.GATEWAY_MAX_CONCURRENT, queue: settings.GATEWAY_MAX_QUEUED })
      .timeout(settings.GATEWAY_TIMEOUT_MS);
  }

  /** @throws with `transient: true` when the outcome is not known. */
  async charge(paymentId: string, request: ChargeRequest, signal?: AbortSignal): Promise<ChargeResult> {
    const { status, body } = await this.#call('POST', '/v1/charges', {
      key: paymentId,
      body: request,
      signal,
    });
    if (status === 400 || status === 422) {
      const { code = 'refused' } = problem.parse(body);
      // Then there is a charge under this key, and it may have moved money: somebody has to look.
      if (code === 'idempotency_key_reused')
        throw new Error(`the gateway has ${paymentId} otherwise: ${code}`);
      return { charged: false, reason: code };
    }
    return resultOf(charge.parse(body));
  }

  /** What the gateway knows of a payment whose outcome we do not know; undefined when it never saw it. */
  async find(paymentId: string, signal?: AbortSignal): Promise<ChargeResult | undefined> {
    const path = `/v1/charges?idempotencyKey=${encodeURIComponent(paymentId)}`;
    const { status, body } = await this.#call('GET', path, { signal });
    return status === 404 ? undefined : resultOf(z.object({ charge }).parse(body).charge);
  }

  /** The charge that was made under the key of a payment, with what was given back of it; undefined when there is none. */
  async read(paymentId: string, signal?: AbortSignal): Promise<Charge | undefined> {
    const path = `/v1/charges?idempotencyKey=${encodeURIComponent(paymentId)}`;
    const { status, body } = await this.#call('GET', path, { signal });
    if (status === 404) return undefined;
    return { ...z.object({ charge: listed }).parse(body).charge, idempotencyKey: paymentId };
  }

  /** All charges that were made after a time, in that order, page by page. */
  async *charges(
    { createdAfter, limit }: { createdAfter: Date; limit: number },
    signal?: AbortSignal,
  ): AsyncGenerator<Charge[], undefined> {
    for (let after: string | undefined, more = true; more;) {
      const query = new URLSearchParams({ createdAfter: createdAfter.toISOString(), limit: String(limit) });
      if (after !== undefined) query.set('startingAfter', after);
      const { status, body } = await this.#call('GET', `/v1/charges?${query}`, { signal });
      if (status >= 400) throw new Error(`the gateway does not list its charges: it answered ${status}`);
      const { charges, hasMore } = page.parse(body);
      yield charges;
      after = charges.at(-1)?.id;
      more = hasMore && after !== undefined;
    }
  }

  /**
   * Gives everything back. What the gateway refuses is asked about: where it has given all of it back before, by another
   * hand than ours, it is refunded.
   * @throws with `transient: true` when the outcome is not known.
   */
  async refund(paymentId: string, chargeId: string, signal?: AbortSignal): Promise<RefundResult> {
    const key = `refund-${paymentId}`;
    const { status, body } = await this.#call('POST', '/v1/refunds', { key, body: { chargeId }, signal });
    if (status < 400) return { refunded: true, refundId: refunded.parse(body).id };
    const asked = await this.#call('GET', `/v1/charges/${encodeURIComponent(chargeId)}`, { signal });
    const { amount, refundedAmount } = givenBack.parse(asked.status < 400 ? asked.body : {});
    if (amount > 0 && refundedAmount >= amount) return { refunded: true, refundId: NOT_OURS };
    return { refunded: false, reason: problem.parse(body).code ?? 'refused' };
  }

  #call(
    method: string,
    path: string,
    { key, body, signal }: { key?: string; body?: object; signal?: AbortSignal },
  ) {
    const options: CallOptions = { ...(signal && { signal }), ...(key && { idempotencyKey: key }) };
    return this.policies.execute(async (call) => {
      // Half an answer, or a page of somebody in between, says as little about the money as none.
      const unreadable = (cause: unknown) => {
        call.signal.throwIfAborted();
        throw new GatewayUnavailableError('the gateway gave no answer that can be read', { cause });
      };
      const response = await fetch(new URL(path, this.#url), {
        method,
        signal: call.signal,
        headers: {
          authorization: `Bearer ${this.#apiKey}`,
          ...(body && { 'content-type': 'application/json' }),
          ...(key && { 'idempotency-key': key }),
        },
        ...(body && { body: JSON.stringify(body) }),
      }).catch(unreadable);
      const { status, headers } = response;
      if (status >= 500 || status === 429 || status === 409) {
        await response.body?.cancel();
        throw new GatewayUnavailableError(`the gateway answered ${status}`, { headers });
      }
      const answer: unknown = await response.json().catch(unreadable);
      if (![200, 201, 400, 402, 404, 422].includes(status)) {
        throw new Error(`the gateway answered ${status}: ${JSON.stringify(answer)}`);
      }
      return { status, body: answer };
    }, options);
  }
}

function resultOf({ id, status, declineCode }: z.infer<typeof charge>): ChargeResult {
  return status === 'succeeded'
    ? { charged: true, chargeId: id }
    : { charged: false, reason: declineCode ?? 'declined' };
}

/** Everything else is an answer, or a mistake of ours; neither says that the gateway fails. */
function saysTransient(error: unknown): boolean {
  return (error as { transient?: unknown } | null)?.transient === true;
}
