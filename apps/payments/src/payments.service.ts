import { v7 as uuidv7 } from 'uuid';
import type { Config } from './config.ts';
import type { GatewayClient } from './gateway.client.ts';
import { PaymentError, refund, settle, type Payment } from './payment.ts';
import type { PaymentsRepository } from './payments.repository.ts';
import { viewOf, type PaymentView } from './payments.schemas.ts';

export type OrderToPay = {
  orderId: string;
  customerId: string;
  total: number;
  currency: string;
  cardToken: string;
};

const RECONCILE_BATCH = 100;

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
    const { orderId, customerId, total: amount, currency, cardToken } = order;
    const payment = await this.payments.open({
      id: uuidv7(),
      orderId,
      customerId,
      amount,
      currency,
      createdAt: this.now(),
      state: 'charging',
    });
    if (payment.state !== 'charging') return;
    const request = { amount, currency, cardToken, reference: orderId };
    const result = await this.gateway.charge(payment.id, request, signal);
    await this.payments.update(payment.id, (p) => settle(p, result), { now: this.now(), messageId });
  }

  /** Gives back what a cancelled order has paid. Its `order.confirmed` was handled before: same key, same partition. */
  async giveBack(messageId: string, { orderId }: { orderId: string }, signal?: AbortSignal): Promise<void> {
    let payment = await this.payments.ofOrder(orderId);
    if (payment?.state === 'charging') payment = await this.#ask(payment, signal);
    if (payment?.state !== 'succeeded') return;
    const refundId = await this.gateway.refund(payment.id, payment.chargeId, signal);
    await this.payments.update(payment.id, (p) => refund(p, refundId), { now: this.now(), messageId });
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

  /** Settles a payment by what the gateway says; one that it never saw stays as it is. */
  async #ask(payment: Payment, signal?: AbortSignal): Promise<Payment> {
    const result = await this.gateway.find(payment.id, signal);
    if (!result) return payment;
    return (await this.payments.update(payment.id, (p) => settle(p, result), { now: this.now() })) ?? payment;
  }
}
