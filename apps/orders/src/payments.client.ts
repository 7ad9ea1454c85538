import { count, exponential, pipeline, type Pipeline } from '@cairn/resilience';
import type { Config } from './config.ts';
import { paymentView, type PaymentView } from './orders.schemas.ts';

type Settings = Pick<Config, Extract<keyof Config, `PAYMENTS_${string}`>>;

/** Payments gave no usable answer. */
export class PaymentsUnavailableError extends Error {
  readonly code = 'payments_unavailable';
  readonly transient = true;
}

/** What payments tells a customer, asked in the customer's name: the token goes along, and decides what may be seen. */
export class PaymentsClient {
  readonly policies: Pipeline;
  readonly #url: string;
  readonly #fetch: typeof fetch;

  /** `ask` is Node's own `fetch`, or one that shows our certificate. */
  constructor(settings: Settings, ask: typeof fetch = fetch) {
    this.#url = settings.PAYMENTS_URL;
    this.#fetch = ask;
    this.policies = pipeline({ name: 'payments', isFailure: saysTransient })
      .deadline(settings.PAYMENTS_DEADLINE_MS)
      .retry({
        attempts: settings.PAYMENTS_ATTEMPTS,
        idempotent: true,
        backoff: exponential({ base: settings.PAYMENTS_RETRY_BASE_MS, max: settings.PAYMENTS_RETRY_MAX_MS }),
        jitter: settings.PAYMENTS_RETRY_JITTER,
      })
      .breaker({
        window: count(settings.PAYMENTS_BREAKER_WINDOW_CALLS),
        failureRate: settings.PAYMENTS_BREAKER_FAILURE_PERCENT / 100,
        minCalls: settings.PAYMENTS_BREAKER_MIN_CALLS,
        openFor: settings.PAYMENTS_BREAKER_OPEN_MS,
        halfOpen: {
          calls: settings.PAYMENTS_BREAKER_PROBES,
          successes: settings.PAYMENTS_BREAKER_SUCCESSES,
        },
      })
      .bulkhead({ max: settings.PAYMENTS_MAX_CONCURRENT, queue: settings.PAYMENTS_MAX_QUEUED })
      .timeout(settings.PAYMENTS_TIMEOUT_MS);
  }

  /** Undefined when payments has none of this id for this customer. Rejects when payments can't say, within the deadline. */
  find(id: string, authorization: string): Promise<PaymentView | undefined> {
    return this.policies.execute(async ({ signal }) => {
      const response = await this.#fetch(new URL(`/api/v1/payments/${id}`, this.#url), {
        signal,
        headers: { authorization },
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

/** Everything else is an answer, or a mistake of ours: a token that payments refuses must not open the circuit for all. */
function saysTransient(error: unknown): boolean {
  return (error as { transient?: unknown } | null)?.transient === true;
}
