import { v7 as uuidv7 } from 'uuid';
import type { GatewayClient } from './gateway.client.ts';
import {
  beginRefund,
  cancel,
  concludeRefund,
  noteOrder,
  ORDER_CANCELLED,
  PaymentError,
  settle,
  type Decision,
  type OrderState,
  type Payment,
} from './payment.ts';
import type { PaymentsRepository } from './payments.repository.ts';
import { viewOf, type PaymentView } from './payments.schemas.ts';

export type CancelledOrder = { orderId: string; customerId: string; total: number; currency: string };
export type OrderToPay = CancelledOrder & { cardToken: string };

/**
 * The use cases, each read downward. Money moves at the gateway between two short transactions: the first leaves a
 * payment that says `charging`, the second settles it. A crash in between is repeated under the same key.
 */
export class PaymentsService {
  constructor(
    private readonly payments: PaymentsRepository,
    private readonly gateway: GatewayClient,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /** Charges an order, once, however often its message comes. */
  async pay(messageId: string, order: OrderToPay, signal?: AbortSignal): Promise<void> {
    const payment = await this.#open(order);
    if (payment.state === 'charging') {
      const { orderId, total: amount, currency, cardToken } = order;
      const request = { amount, currency, cardToken, reference: orderId };
      const result = await this.gateway.charge(payment.id, request, signal);
      const now = this.now();
      if (await this.payments.update(payment.id, (p) => settle(p, result, now), { now, messageId })) return;
    }
    await this.#giveBackStray(order.orderId, signal);
  }

  /**
   * Gives back what a cancelled order has paid. Its `order.confirmed` was handled before (same key, same partition), or
   * was parked. What it comes to is decided under the row's lock, so a second delivery decides nothing; it is no less
   * needed, for a first one that ended before the gateway heard of it.
   */
  async giveBack(order: CancelledOrder, signal?: AbortSignal): Promise<void> {
    const opened = await this.#open(order);
    if (opened.state === 'charging') await this.ask(opened, signal);
    const now = this.now();
    const payment = await this.#decide(opened, (p) => cancel(p, now), now);
    await this.refund(payment, signal);
  }

  /** Notes what became of an order, for reconciliation. */
  async noteOrder(orderId: string, state: OrderState): Promise<void> {
    const payment = await this.payments.ofOrder(orderId);
    if (payment) await this.payments.update(payment.id, (p) => noteOrder(p, state), { now: this.now() });
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
      orderState: 'pending',
      state: 'charging',
    });
  }

  /**
   * A process that was thought dead may have charged while the cancelled order's payment was being closed. The refund
   * has a key of its own, so it is safe to come here again.
   */
  async #giveBackStray(orderId: string, signal?: AbortSignal): Promise<void> {
    const payment = await this.payments.ofOrder(orderId);
    if (payment?.state === 'refunding') await this.refund(payment, signal);
    if (payment?.state !== 'failed' || payment.reason !== ORDER_CANCELLED) return;
    const result = await this.gateway.find(payment.id, signal);
    if (result?.charged) await this.giveBackCharge(payment, result.chargeId, signal);
  }

  /** Gives this charge back: of a payment that succeeded, or of one that was closed before it was charged. */
  async giveBackCharge(payment: Payment, chargeId: string, signal?: AbortSignal): Promise<Payment> {
    const now = this.now();
    const begun = await this.#decide(payment, (p) => beginRefund(p, chargeId, now), now);
    return this.refund(begun, signal);
  }

  /** Makes a pending refund, or keeps that it was refused. */
  async refund(payment: Payment, signal?: AbortSignal): Promise<Payment> {
    if (payment.state !== 'refunding') return payment;
    const { attempts } = payment;
    const result = await this.gateway.refund(payment.id, payment.chargeId, signal);
    const now = this.now();
    // A consumer and a reconciliation may try at the same moment: refused is then one try, and the next no later for it.
    const isCounted = (p: Payment) => !result.refunded && p.state === 'refunding' && p.attempts > attempts;
    return this.#decide(payment, (p) => (isCounted(p) ? undefined : concludeRefund(p, result, now)), now);
  }

  /** Settles a payment by what the gateway says; one that it never saw stays as it is. */
  async ask(payment: Payment, signal?: AbortSignal): Promise<Payment> {
    const result = await this.gateway.find(payment.id, signal);
    if (!result) return payment;
    const now = this.now();
    return this.#decide(payment, (p) => settle(p, result, now), now);
  }

  /** What the payment is after that: where there was nothing to decide, another process has decided before. */
  async #decide(
    { id, orderId }: Payment,
    decide: (payment: Payment) => Decision | undefined,
    now: Date,
  ): Promise<Payment> {
    return (await this.payments.update(id, decide, { now })) ?? (await this.payments.ofOrder(orderId))!;
  }
}
