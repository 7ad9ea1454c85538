import type { Client } from '@openfeature/server-sdk';
import type { ExpandedOrderView, OrderQuery, OrderView } from './orders.schemas.ts';
import type { OrdersService } from './orders.service.ts';
import type { PaymentsClient } from './payments.client.ts';

type Asked = OrderQuery & { authorization?: string };

/** An order with what other services know of it. What they can't say now is left out, and said to be left out. */
export class OrderDetailsService {
  constructor(
    private readonly orders: Pick<OrdersService, 'get'>,
    private readonly payments: Pick<PaymentsClient, 'find'>,
    private readonly flags: Pick<Client, 'getBooleanValue'>,
    private readonly onDegraded: (error: unknown) => void = () => {},
  ) {}

  async get(
    customerId: string,
    id: string,
    { expand, authorization = '' }: Asked,
  ): Promise<ExpandedOrderView> {
    const order = await this.orders.get(customerId, id);
    if (expand !== 'payment') return order;
    // Off when payments is to be spared: then it is not asked, and nobody waits for it.
    const isAsked = await this.flags.getBooleanValue('payment-expansion', true, { targetingKey: customerId });
    return { ...order, ...(await this.#paymentOf(order, authorization, isAsked)) };
  }

  /** The order is ours and stands: that payments is away is no reason to withhold it. */
  async #paymentOf(
    { paymentId }: OrderView,
    authorization: string,
    isAsked: boolean,
  ): Promise<Partial<ExpandedOrderView>> {
    if (!paymentId) return { payment: null };
    if (!isAsked) return { payment: null, degraded: ['payment'] };
    try {
      return { payment: (await this.payments.find(paymentId, authorization)) ?? null };
    } catch (error) {
      this.onDegraded(error);
      return { payment: null, degraded: ['payment'] };
    }
  }
}
