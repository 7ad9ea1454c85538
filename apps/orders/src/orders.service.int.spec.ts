import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { aBasket, line, onEngines, settings } from './orders.fixture.ts';
import { OrdersService } from './orders.service.ts';

/** Real: PostgreSQL and Redis. The clock is given where time decides. */
const { open, close, repository, drafts, service, at, rows, aCustomer, anOrder, announced, numbered } =
  onEngines();
beforeAll(open);
afterAll(close);

const aPayment = (orderId: string) => ({ orderId, paymentId: randomUUID() });

describe('an order', () => {
  it('is paid once, by the first delivery of the message and by no other message', async () => {
    const { view, customer } = await anOrder();
    const { id } = view;
    const [messageId, payment] = [randomUUID(), aPayment(id)];
    await Promise.all([1, 2, 3].map(() => service.paymentSucceeded(messageId, payment)));
    await service.paymentSucceeded(messageId, payment);
    expect(await service.get(customer, id)).toMatchObject({ state: 'paid', paymentId: payment.paymentId });
    expect(await rows('SELECT FROM inbox WHERE message_id = $1', messageId)).toHaveLength(1);
    await service.paymentSucceeded(randomUUID(), aPayment(id));
    expect(await announced(id)).toEqual(['order.confirmed.v1', 'order.paid.v1']);
    expect(await service.get(customer, id)).toMatchObject({ paymentId: payment.paymentId });
  });

  it('forgets a message whose transaction failed, so that it can come again', async () => {
    const { view, customer } = await anOrder();
    const { id } = view;
    const messageId = randomUUID();
    const broken = new Date(NaN); // PostgreSQL is asked first; the decision fails on it
    const failing = new OrdersService(repository, drafts, settings, () => broken);
    await expect(failing.paymentSucceeded(messageId, aPayment(id))).rejects.toThrow(RangeError);
    await service.paymentSucceeded(messageId, aPayment(id));
    expect(await service.get(customer, id)).toMatchObject({ state: 'paid' });
  });

  it('is cancelled and, if it was paid before, says so, when payment and cancel come at the same moment', async () => {
    for (let round = 0; round < 40; round++) {
      const { view, customer } = await anOrder();
      const { id } = view;
      const pay = () => service.paymentSucceeded(randomUUID(), aPayment(id));
      const cancel = () => service.cancel(customer, id);
      await Promise.all((round % 2 ? [pay, cancel] : [cancel, pay]).map((act) => act()));
      const { state, paymentId } = await service.get(customer, id);
      expect(state).toBe('cancelled');
      const paid = paymentId ? ['order.paid.v1'] : [];
      const events = ['order.confirmed.v1', ...paid, 'order.cancelled.v1'];
      expect(await announced(id)).toEqual(events);
      expect(await numbered(id)).toEqual(events.map((_, i) => String(i + 1)));
    }
  });

  it('is cancelled when it stayed unpaid for too long, and not before', async () => {
    const old = await anOrder(aCustomer(), { by: at('2026-11-21T12:00:00Z') });
    const paid = await anOrder(aCustomer(), { by: at('2026-11-21T12:00:00Z') });
    await service.paymentSucceeded(randomUUID(), aPayment(paid.view.id));
    const young = await anOrder(aCustomer(), { by: at('2026-11-21T12:00:01Z') });
    // The tick decides; the replica that looks may be an hour ahead.
    const ahead = at('2026-11-21T13:15:00Z');
    expect(await ahead.expireUnpaid(new Date('2026-11-21T12:15:00Z'))).toBe(0);
    const tick = new Date('2026-11-21T12:15:00.500Z');
    const [one, other] = await Promise.all([ahead.expireUnpaid(tick), ahead.expireUnpaid(tick)]);
    expect(one + other).toBe(1);
    expect(await service.get(old.customer, old.view.id)).toMatchObject({
      state: 'cancelled',
      reason: 'expired',
    });
    expect(await announced(old.view.id)).toEqual(['order.confirmed.v1', 'order.cancelled.v1']);
    expect(await service.get(paid.customer, paid.view.id)).toMatchObject({ state: 'paid' });
    expect(await service.get(young.customer, young.view.id)).toMatchObject({ state: 'pending' });
  });

  it('stands on one page of its customer only, newest first', async () => {
    const customer = aCustomer();
    const placed: string[] = [];
    for (let i = 0; i < 5; i++) placed.unshift((await anOrder(customer)).view.id);
    const first = await service.list(customer, { limit: 2 });
    // One that comes while the customer turns the page must not shift the next one.
    await anOrder(customer);
    const second = await service.list(customer, { limit: 3, after: first.next });
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(placed);
    expect(first.next).toBe(placed[1]);
    expect(second.next).toBeUndefined();
    expect((await service.list(aCustomer(), { limit: 2 })).items).toEqual([]);
  });
});

describe('the numbers of the events about an order', () => {
  it('go on without a gap when some of the changes at one moment decide nothing or fail', async () => {
    const { view, customer } = await anOrder();
    const cancels = [1, 2, 3].map(() => service.cancel(customer, view.id));
    const pays = [1, 2, 3].map(() => service.paymentSucceeded(randomUUID(), aPayment(view.id)));
    await Promise.allSettled([...cancels, ...pays]);
    await service.paymentRefunded(randomUUID(), aPayment(view.id));
    const count = (await announced(view.id)).length;
    expect(await numbered(view.id)).toEqual(Array.from({ length: count }, (_, i) => String(i + 1)));
    expect(await rows('SELECT version FROM orders WHERE id = $1', view.id)).toEqual([{ version: count }]);
  });

  it('begin with 1 for an order that announced before there were numbers', async () => {
    const { view, customer } = await anOrder();
    await rows('UPDATE orders SET version = DEFAULT WHERE id = $1', view.id);
    await service.cancel(customer, view.id);
    expect(await numbered(view.id)).toEqual(['1', '1']);
  });

  it('are not given to the report of a day, which is no aggregate', async () => {
    await repository.closeSalesDay('2026-05-01', { now: new Date(), messageId: randomUUID() });
    expect(await numbered('2026-05-01')).toEqual([null]);
  });
});

describe('a day of sales', () => {
  it('is announced once per message, with the sum of what was paid in each currency', async () => {
    const pay = async (time: string, basket = aBasket()) => {
      const order = await anOrder(aCustomer(), { basket });
      await at(time).paymentSucceeded(randomUUID(), aPayment(order.view.id));
      return order;
    };
    await pay('2026-03-01T00:00:00.000Z');
    await pay('2026-03-01T23:59:59.999Z', aBasket([line(100, 3)]));
    await pay('2026-03-01T12:00:00.000Z', aBasket([line(9_007_199_254_740_000, 1)], 'JPY'));
    await pay('2026-02-28T23:59:59.999Z');
    await pay('2026-03-02T00:00:00.000Z');
    const cancelled = await pay('2026-03-01T12:00:00.000Z');
    await service.cancel(cancelled.customer, cancelled.view.id);

    const message = { now: new Date(), messageId: randomUUID() };
    await Promise.all([1, 2].map(() => repository.closeSalesDay('2026-03-01', message)));
    const reports = await rows(`SELECT event -> 'data' AS data FROM outbox WHERE key = '2026-03-01'`);
    const totals = [
      { currency: 'EUR', orders: 2, total: 1200 },
      { currency: 'JPY', orders: 1, total: 9_007_199_254_740_000 },
    ];
    expect(reports).toEqual([{ data: { date: '2026-03-01', totals } }]);
  });
});
