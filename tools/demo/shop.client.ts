import { fetchToken } from '../local/token.ts';
import type { Places } from './places.ts';

export type DraftInput = {
  email: string;
  currency: string;
  lines: { sku: string; name: string; quantity: number; unitPrice: number }[];
};
export type OrderView = {
  id: string;
  state: string;
  total: number;
  currency: string;
  paymentId?: string;
  reason?: string;
};
export type PaymentView = { id: string; state: string; amount: number; currency: string };
export type NotificationView = {
  template: string;
  subject: string;
  messageId: string;
  state: string;
  recipient: string;
};

/** The API said no; `problem` is what it said. */
export class ProblemError extends Error {
  readonly status: number;
  readonly problem: { code?: string; detail?: string; errors?: { field: string; message: string }[] };
  constructor(what: string, status: number, problem: ProblemError['problem']) {
    const fields = problem.errors?.map(({ field, message }) => `${field}: ${message}`).join('; ');
    super(`${what}: ${status} ${problem.code ?? ''} ${fields ?? problem.detail ?? ''}`.trimEnd());
    this.status = status;
    this.problem = problem;
  }
}

/** A customer's view of the shop: what a front end would do, through the public APIs only. */
export class ShopClient {
  readonly places: Places;
  readonly #token: string;

  constructor(places: Places, token: string) {
    this.places = places;
    this.#token = token;
  }

  static async of(places: Places, customer: string): Promise<ShopClient> {
    return new ShopClient(places, await fetchToken(customer, 3600, places.issuer));
  }

  saveDraft(
    id: string,
    draft: DraftInput,
    orders = this.places.orders,
  ): Promise<{ total: number; expiresAt: string }> {
    return this.#call('PUT', `${orders}/api/v1/drafts/${id}`, { body: draft });
  }

  confirm(
    draftId: string,
    cardToken: string,
    key: string,
    orders = this.places.orders,
    headers: Record<string, string> = {},
  ): Promise<OrderView> {
    return this.#call('POST', `${orders}/api/v1/orders`, { body: { draftId, cardToken }, key, headers });
  }

  order(id: string): Promise<OrderView> {
    return this.#call('GET', `${this.places.orders}/api/v1/orders/${id}`);
  }

  /** The order and its payment; `payment: null` and `degraded` when orders could not ask payments. */
  orderWithPayment(id: string): Promise<OrderView & { payment: PaymentView | null; degraded?: 'payment'[] }> {
    return this.#call('GET', `${this.places.orders}/api/v1/orders/${id}?expand=payment`);
  }

  cancel(id: string): Promise<OrderView> {
    return this.#call('POST', `${this.places.orders}/api/v1/orders/${id}/cancel`);
  }

  payment(id: string): Promise<PaymentView> {
    return this.#call('GET', `${this.places.payments}/api/v1/payments/${id}`);
  }

  async notifications(orderId: string): Promise<NotificationView[]> {
    const url = `${this.places.notifications}/api/v1/notifications?orderId=${orderId}`;
    return (await this.#call<{ items: NotificationView[] }>('GET', url)).items;
  }

  async #call<T>(
    method: string,
    url: string,
    { body, key, headers }: { body?: unknown; key?: string; headers?: Record<string, string> } = {},
  ): Promise<T> {
    const response = await fetch(url, {
      method,
      signal: AbortSignal.timeout(10_000),
      headers: {
        ...headers,
        authorization: `Bearer ${this.#token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(key && { 'idempotency-key': key }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      throw new Error(
        `Nothing answers at ${new URL(url).origin}. Is the stack up? Start it with: npm start`,
        { cause },
      );
    });
    if (!response.ok) {
      throw new ProblemError(
        `${method} ${new URL(url).pathname}`,
        response.status,
        (await response.json()) as object,
      );
    }
    return (response.status === 204 ? undefined : await response.json()) as T;
  }
}
