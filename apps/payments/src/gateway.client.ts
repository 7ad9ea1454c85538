import { bulkhead, circuitBreaker, retry, timeout, type Policy } from '@cairn/resilience';
import { z } from 'zod';
import type { Config } from './config.ts';
import type { ChargeResult } from './payment.ts';

type Settings = Pick<
  Config,
  | 'GATEWAY_URL'
  | 'GATEWAY_API_KEY'
  | 'GATEWAY_TIMEOUT_MS'
  | 'GATEWAY_ATTEMPTS'
  | 'GATEWAY_RETRY_BASE_MS'
  | 'GATEWAY_MAX_CONCURRENT'
  | 'GATEWAY_BREAKER_FAILURES'
  | 'GATEWAY_BREAKER_OPEN_MS'
>;

export type ChargeRequest = { amount: number; currency: string; cardToken: string; reference: string };

// Only the fields that payments reads.
const charge = z.object({
  id: z.string(),
  status: z.enum(['succeeded', 'declined']),
  declineCode: z.string().optional(),
});
const refunded = z.object({ id: z.string() });
const problem = z.object({ code: z.string().optional(), detail: z.string().optional() });

/** The gateway gave no usable answer. It may have acted all the same: ask again under the same key. */
export class GatewayUnavailableError extends Error {
  readonly code = 'gateway_unavailable';
  readonly transient = true;
}

/**
 * The payment gateway behind bulkhead, retry, breaker and timeout. Every call that moves money carries a key that
 * belongs to the payment and not to the attempt, so that a repeated call moves it once.
 */
export class GatewayClient {
  readonly #settings: Settings;
  readonly #guarded: Policy;

  constructor(settings: Settings) {
    this.#settings = settings;
    const compartment = bulkhead({
      max: settings.GATEWAY_MAX_CONCURRENT,
      queue: settings.GATEWAY_MAX_CONCURRENT,
    });
    const again = retry({
      attempts: settings.GATEWAY_ATTEMPTS,
      baseMs: settings.GATEWAY_RETRY_BASE_MS,
      maxMs: 2000,
    });
    const breaker = circuitBreaker({
      name: 'payment gateway',
      failures: settings.GATEWAY_BREAKER_FAILURES,
      openMs: settings.GATEWAY_BREAKER_OPEN_MS,
      probes: 2,
    });
    const limit = timeout(settings.GATEWAY_TIMEOUT_MS);
    this.#guarded = (call, signal) =>
      compartment((s1) => again((s2) => breaker((s3) => limit(call, s3), s2), s1), signal);
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

  /** Gives everything back; resolves with the refund's id. */
  async refund(paymentId: string, chargeId: string, signal?: AbortSignal): Promise<string> {
    const key = `refund-${paymentId}`;
    const { status, body } = await this.#call('POST', '/v1/refunds', { key, body: { chargeId }, signal });
    if (status >= 400) throw new Error(`the gateway refused to refund ${chargeId}: ${JSON.stringify(body)}`);
    return refunded.parse(body).id;
  }

  #call(
    method: string,
    path: string,
    { key, body, signal }: { key?: string; body?: object; signal?: AbortSignal },
  ) {
    return this.#guarded(async (limited) => {
      // Half an answer, or a page of somebody in between, says as little about the money as none.
      const unreadable = (cause: unknown) => {
        limited.throwIfAborted();
        throw new GatewayUnavailableError('the gateway gave no answer that can be read', { cause });
      };
      const response = await fetch(new URL(path, this.#settings.GATEWAY_URL), {
        method,
        signal: limited,
        headers: {
          authorization: `Bearer ${this.#settings.GATEWAY_API_KEY}`,
          ...(body && { 'content-type': 'application/json' }),
          ...(key && { 'idempotency-key': key }),
        },
        ...(body && { body: JSON.stringify(body) }),
      }).catch(unreadable);
      if (response.status >= 500 || response.status === 429 || response.status === 409) {
        await response.body?.cancel();
        throw new GatewayUnavailableError(`the gateway answered ${response.status}`);
      }
      const answer: unknown = await response.json().catch(unreadable);
      if (![200, 201, 400, 402, 404, 422].includes(response.status)) {
        throw new Error(`the gateway answered ${response.status}: ${JSON.stringify(answer)}`);
      }
      return { status: response.status, body: answer };
    }, signal);
  }
}

function resultOf({ id, status, declineCode }: z.infer<typeof charge>): ChargeResult {
  return status === 'succeeded'
    ? { charged: true, chargeId: id }
    : { charged: false, reason: declineCode ?? 'declined' };
}
