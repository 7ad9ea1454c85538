import { v7 as uuidv7 } from 'uuid';
import type { Config } from './config.ts';
import { DraftsStore } from './drafts.store.ts';
import { fingerprintOf } from './idempotency.ts';
import { cancel, confirm, expire, failPayment, OrderError, pay, refund, totalOf } from './order.ts';
import { OrdersRepository, type StoredReply } from './orders.repository.ts';
import {
  viewOf,
  type ConfirmBody,
  type DraftBody,
  type DraftView,
  type OrderView,
  type PageQuery,
} from './orders.schemas.ts';

const EXPIRE_BATCH = 500;

/** The use cases, each read downward: check, load, decide, save, announce. */
export class OrdersService {
  constructor(
    private readonly orders: OrdersRepository,
    private readonly drafts: DraftsStore,
    private readonly settings: Pick<Config, 'DRAFT_TTL_S' | 'ORDER_EXPIRES_AFTER_S'>,
    private readonly now: () => Date = () => new Date(),
  ) {}

  async saveDraft(customerId: string, id: string, body: DraftBody): Promise<DraftView> {
    const confirmed = await this.orders.orderOfDraft(customerId, id);
    if (confirmed) throw alreadyConfirmed(id, confirmed);
    const saved = await this.drafts.save(customerId, { id, ...body }, this.settings.DRAFT_TTL_S, this.now());
    return { ...saved.draft, total: totalOf(saved.draft.lines), expiresAt: saved.expiresAt.toISOString() };
  }

  async getDraft(customerId: string, id: string): Promise<DraftView> {
    const saved = await this.drafts.find(customerId, id, this.now());
    if (!saved) throw draftNotFound(id);
    return { ...saved.draft, total: totalOf(saved.draft.lines), expiresAt: saved.expiresAt.toISOString() };
  }

  async deleteDraft(customerId: string, id: string): Promise<void> {
    if (!(await this.drafts.delete(customerId, id))) throw draftNotFound(id);
  }

  /** Confirms a draft. The same key and request again get the same reply, whatever has become of the draft. */
  async confirm(
    customerId: string,
    key: string,
    request: ConfirmBody,
  ): Promise<{ body: string; replayed: boolean }> {
    const fingerprint = fingerprintOf(request);
    const stored = await this.orders.findReply(customerId, key);
    if (stored) return replay(stored, fingerprint);

    const saved = await this.drafts.find(customerId, request.draftId, this.now());
    if (!saved) return this.#overtaken(customerId, key, request.draftId, fingerprint);

    const by = { id: uuidv7(), customerId, cardToken: request.cardToken, now: this.now() };
    const decision = confirm(saved.draft, by);
    const body = JSON.stringify(viewOf(decision.order));
    try {
      await this.orders.insert(decision, key, { fingerprint, response: body });
    } catch (error) {
      if (OrdersRepository.isInFlight(error)) throw inFlight();
      if (!OrdersRepository.usedBefore(error)) throw error;
      return this.#overtaken(customerId, key, request.draftId, fingerprint);
    }
    // The order stands; a draft that stays behind can't be confirmed again and ends with its time to live.
    await this.drafts.delete(customerId, request.draftId).catch(() => false);
    return { body, replayed: false };
  }

  async get(customerId: string, id: string): Promise<OrderView> {
    const order = await this.orders.find(customerId, id);
    if (!order) throw orderNotFound(id);
    return viewOf(order);
  }

  async list(
    customerId: string,
    { limit, after }: PageQuery,
  ): Promise<{ items: OrderView[]; next?: string }> {
    // One more than asked for tells whether there is a next page.
    const orders = await this.orders.page(customerId, limit + 1, after);
    const items = orders.slice(0, limit).map(viewOf);
    return orders.length > limit ? { items, next: items.at(-1)!.id } : { items };
  }

  async cancel(customerId: string, id: string): Promise<OrderView> {
    const now = this.now();
    if (!(await this.orders.find(customerId, id))) throw orderNotFound(id);
    const order = await this.orders.update(id, (o) => cancel(o, 'customer', now), { now });
    return viewOf(order!);
  }

  async paymentSucceeded(messageId: string, payment: { orderId: string; paymentId: string }): Promise<void> {
    const now = this.now();
    await this.orders.update(payment.orderId, (order) => pay(order, payment, now), { now, messageId });
  }

  async paymentFailed(messageId: string, payment: { orderId: string; paymentId: string; reason: string }) {
    const now = this.now();
    await this.orders.update(payment.orderId, (order) => failPayment(order, payment), { now, messageId });
  }

  async paymentRefunded(messageId: string, payment: { orderId: string; paymentId: string }): Promise<void> {
    const now = this.now();
    await this.orders.update(payment.orderId, (order) => refund(order, payment, now), { now, messageId });
  }

  /**
   * Cancels every order that stayed unpaid for too long at `tick`, which is the scheduler's: this replica's own clock decides
   * nothing. Safe to repeat: each order is decided on under its lock.
   */
  async expireUnpaid(tick: Date): Promise<number> {
    const now = this.now();
    const before = new Date(tick.getTime() - this.settings.ORDER_EXPIRES_AFTER_S * 1000);
    let expired = 0;
    for (let ids: string[]; (ids = await this.orders.pendingSince(before, EXPIRE_BATCH)).length > 0;) {
      for (const id of ids)
        if (await this.orders.update(id, (order) => expire(order, now), { now })) expired++;
    }
    return expired;
  }

  /**
   * The draft is not there, or no longer ours to confirm. Maybe another request with the same key was faster, and
   * deleted the draft after we had looked for the key: its reply is ours. Maybe the draft went under another key.
   */
  async #overtaken(customerId: string, key: string, draftId: string, fingerprint: string) {
    const reply = await this.orders.findReply(customerId, key);
    if (reply) return replay(reply, fingerprint);
    const orderId = await this.orders.orderOfDraft(customerId, draftId);
    throw orderId ? alreadyConfirmed(draftId, orderId) : draftNotFound(draftId);
  }
}

function replay(stored: StoredReply, fingerprint: string) {
  if (stored.fingerprint !== fingerprint) {
    throw new OrderError(
      'idempotency_key_reused',
      'This Idempotency-Key was used for another request. Use a new one.',
    );
  }
  return { body: stored.response, replayed: true };
}

// https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ (section 2.7)
const inFlight = () =>
  new OrderError(
    'idempotency_key_in_flight',
    'A request with this Idempotency-Key is still being processed. Send it again after Retry-After, with the same key.',
    { retryAfterS: 1 },
  );
const draftNotFound = (id: string) =>
  new OrderError(
    'draft_not_found',
    `There is no draft ${id}. Drafts end after their time to live; save it again.`,
  );
const orderNotFound = (id: string) => new OrderError('order_not_found', `There is no order ${id}.`);
const alreadyConfirmed = (draftId: string, orderId: string) =>
  new OrderError('draft_already_confirmed', `Draft ${draftId} is already confirmed as order ${orderId}.`);
