import { currentContext } from '@cairn/logging';
import { bulkhead, circuitBreaker, timeout, type Policy } from '@cairn/resilience';
import type { Config } from './config.ts';
import { paymentView, type PaymentView } from './orders.schemas.ts';

type Settings = Pick<Config, 'PAYMENTS_URL' | 'PAYMENTS_DEADLINE_MS'>;

/** Payments gave no usable answer. */
export class PaymentsUnavailableError extends Error {
  readonly code = 'payments_unavailable';
  readonly transient = true;
}

/** What payments tells a customer, asked in the customer's name: the token goes along, and decides what may be seen. */
export class PaymentsClient {
  readonly #url: string;
  readonly #guarded: Policy;

  constructor({ PAYMENTS_URL, PAYMENTS_DEADLINE_MS }: Settings) {
    this.#url = PAYMENTS_URL;
    const places = bulkhead({ max: 20, queue: 0 });
    const breaker = circuitBreaker({ name: 'payments', failures: 5, openMs: 2000, probes: 2 });
    const limit = timeout(PAYMENTS_DEADLINE_MS);
    this.#guarded = (call, signal) => breaker((s1) => places((s2) => limit(call, s2), s1), signal);
  }

  /** Undefined when payments has none of this id for this customer. Rejects when payments can't say, within the deadline. */
  find(id: string, authorization: string): Promise<PaymentView | undefined> {
    return this.#guarded(async (signal) => {
      const context = currentContext();
      const response = await fetch(new URL(`/api/v1/payments/${id}`, this.#url), {
        signal,
        headers: {
          authorization,
          ...(context && { 'x-correlation-id': context.correlationId }),
          ...(context?.traceparent && { traceparent: context.traceparent }),
        },
      }).catch(unavailable('payments gave no answer'));
      if (response.ok) {
        return paymentView.parse(await response.json().catch(unavailable('payments gave half an answer')));
      }
      await response.body?.cancel();
      if (response.status === 404) return undefined;
      const answered = `payments answered ${response.status}`;
      if (response.status >= 500 || response.status === 429) throw new PaymentsUnavailableError(answered);
      throw new Error(answered);
    });
  }
}

const unavailable = (message: string) => (cause: unknown) => {
  throw new PaymentsUnavailableError(message, { cause });
};
