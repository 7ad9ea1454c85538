import { v7 as uuidv7 } from 'uuid';
import type { Config } from './config.ts';
import type { GatewayClient } from './gateway.client.ts';
import { PaymentError, refund, settle, type Payment } from './payment.ts';
import type { PaymentsRepository } from './payments.repository.ts';
import { viewOf, type PaymentView } from './payments.schemas.ts';

export type CancelledOrder = { orderId: string; customerId: string; total: number; currency: string };
export type OrderToPay = CancelledOrder & { cardToken: string };

const RECONCILE_BATCH = 100;

/** The reason of a payment that was closed before anybody charged it. */
const ORDER_CANCELLED = 'order_cancelled';

/**
 * The use cases, each read downward. Money moves at the gateway between two short transactions: the first leaves a
 * payment that says `charging`, the second settles it. A crash in between is repeated under the same key.
 */
export class PaymentsService {
  constructor(
    private readonly payments: PaymentsRepository,
    private readonly gateway: GatewayClient,
    private readonly settings: Pick<Config, 'RECONCILE_AFTER_S'>,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /** Charges an order, once, however often its message comes. */
  async pay(messageId: string, order: OrderToPay, signal?: AbortSignal): Promise<void> {
    const payment = await this.#open(order);
    if (payment.state === 'charging') {
      const { orderId, total: amount, currency, cardToken } = order;
      const request = { amount, currency, cardToken, reference: orderId };
      const result = await this.gateway.charge(payment.id, request, signal);
      const settled = (p: Payment) => settle(p, result);
      if (await this.payments.update(payment.id, settled, { now: this.now(), messageId })) return;
    }
    await this.#giveBackStray(order.orderId, signal);
  }

  /**
   * Gives back what a cancelled order has paid. Its `order.confirmed` was handled before (same key, same partition), or
   * was parked. What nobody has charged by now is closed, so that a replay of that message charges nothing.
   */
  async giveBack(messageId: string, order: CancelledOrder, signal?: AbortSignal): Promise<void> {
    let payment = await this.#open(order);
    if (payment.state === 'charging') payment = await this.#ask(payment, signal);
    if (payment.state === 'charging') {
      const closed = { charged: false, reason: ORDER_CANCELLED } as const;
      await this.payments.update(payment.id, (p) => settle(p, closed), { now: this.now(), messageId });
    }
    if (payment.state !== 'succeeded') return;
    const { id, chargeId } = payment;
    const refundId = await this.gateway.refund(id, chargeId, signal);
    await this.payments.update(id, (p) => refund(p, refundId), { now: this.now(), messageId });
  }

  /** Asks the gateway about payments that stayed unsettled, for whatever reason. Safe to repeat. */
  async reconcile(signal?: AbortSignal): Promise<number> {
    const before = new Date(this.now().getTime() - this.settings.RECONCILE_AFTER_S * 1000);
    const unsettled = await this.payments.chargingSince(before, RECONCILE_BATCH);
    let settled = 0;
    for (const payment of unsettled) if ((await this.#ask(payment, signal)).state !== 'charging') settled++;
    return settled;
  }

  async get(customerId: string, id: string): Promise<PaymentView> {
    const payment = await this.payments.find(customerId, id);
    if (!payment) throw new PaymentError('payment_not_found', `There is no payment ${id}.`);
    return viewOf(payment);
  }

  /** The payment of this order, made now if there is none. */
  #open({ orderId, customerId, total: amount, currency }: CancelledOrder): Promise<Payment> {
    const createdAt = this.now();
    return this.payments.open({
      id: uuidv7(),
      orderId,
      customerId,
      amount,
      currency,
      createdAt,
      state: 'charging',
    });
  }

  /**
   * A process that was thought dead may have charged while the cancelled order's payment was being closed. The refund
   * has a key of its own, so it is safe to come here again.
   */
  async #giveBackStray(orderId: string, signal?: AbortSignal): Promise<void> {
    const payment = await this.payments.ofOrder(orderId);
    if (payment?.state !== 'failed' || payment.reason !== ORDER_CANCELLED) return;
    const result = await this.gateway.find(payment.id, signal);
    if (result?.charged) await this.gateway.refund(payment.id, result.chargeId, signal);
  }

  /** Settles a payment by what the gateway says; one that it never saw stays as it is. */
  async #ask(payment: Payment, signal?: AbortSignal): Promise<Payment> {
    const result = await this.gateway.find(payment.id, signal);
    if (!result) return payment;
    return (await this.payments.update(payment.id, (p) => settle(p, result), { now: this.now() })) ?? payment;
  }
}
