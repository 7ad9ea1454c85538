import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { aGateway, closeGateways, type Gateway } from './gateway.fixture.ts';
import type { OrderState } from './payment.ts';
import { anOrder, onEngines, type Order } from './payments.fixture.ts';
import { PaymentsRepository } from './payments.repository.ts';

/** Real: PostgreSQL, and the client on HTTP. The gateway is small; clocks are set forward where time decides. */
const { open, close, dataSource, repository, rows, aProcess, aService, paymentOf, announced } = onEngines();
beforeAll(open);
beforeEach(async () => {
  gateway = await aGateway();
  await rows('TRUNCATE payment, outbox, inbox');
});
afterEach(closeGateways);
afterAll(close);

let gateway: Gateway;
const LATER = 61;
const reconcile = async (inS = LATER) => {
  const process = aProcess(gateway, { inS });
  const round = await process.reconcile();
  return { ...round, outcomes: process.found.map(({ finding, outcome }) => `${finding} ${outcome}`) };
};
const paid = async (orderState?: OrderState, order = anOrder()) => {
  await aService(gateway).pay(randomUUID(), order);
  if (orderState) await aService(gateway).noteOrder(order.orderId, orderState);
  return order;
};
/** The gateway has charged, and its answer was lost. */
const lost = async (order = anOrder()) => {
  gateway.faults.losesAnswers = true;
  await expect(aService(gateway).pay(randomUUID(), order)).rejects.toMatchObject({ transient: true });
  gateway.faults.losesAnswers = false;
  return order;
};
const typesOf = async (order: Order) => (await announced(order)).map(({ type }) => type);

describe('a round', () => {
  it('finds nothing where the books agree, and leaves young payments alone', async () => {
    await paid('paid');
    await paid('payment_failed', anOrder('tok_expiredCard'));
    const cancelled = await paid('paid');
    await aService(gateway).giveBack(cancelled);
    await aService(gateway).noteOrder(cancelled.orderId, 'refunded');
    expect(await reconcile()).toMatchObject({ charges: 3, payments: 0, outcomes: [], complete: true });
    await lost();
    expect(await reconcile(0)).toMatchObject({ payments: 0, outcomes: [] });
  });

  it('goes through everything page by page, and past what fails', async () => {
    const broken = await lost();
    for (let i = 0; i < 130; i++) await lost();
    const { id } = (await paymentOf(broken))!;
    // One charge whose answer cannot be read, the oldest of all.
    Object.assign(gateway.charges.get(id)!, { status: 'who knows' });
    const { payments, outcomes, complete } = await reconcile();
    expect(payments).toBe(131);
    expect(outcomes.filter((outcome) => outcome === 'outcome_unknown repaired')).toHaveLength(130);
    expect(outcomes.filter((outcome) => outcome === 'outcome_unknown failed')).toHaveLength(1);
    expect(complete).toBe(false);
    gateway.charges.get(id)!.status = 'succeeded';
    const next = await reconcile();
    expect(next).toMatchObject({ charges: 131, complete: true });
    expect(next.outcomes).toContain('outcome_unknown repaired');
  }, 30_000);

  it('leaves all as it is while the gateway is away, and says so', async () => {
    const order = await lost();
    gateway.faults.isDown = true;
    expect(await reconcile()).toMatchObject({ complete: false, outcomes: ['outcome_unknown failed'] });
    expect(await paymentOf(order)).toMatchObject({ state: 'charging' });
  });
});

describe('a payment whose outcome is not known', () => {
  it.each([
    ['succeeded', 'tok_visa'],
    ['failed', 'tok_expiredCard'],
  ])('is %s once the gateway says so, and announced', async (state, cardToken) => {
    const order = await lost(anOrder(cardToken));
    expect((await reconcile()).outcomes).toContain('outcome_unknown repaired');
    expect(await paymentOf(order)).toMatchObject({ state });
    expect(await typesOf(order)).toEqual([`payment.${state}.v1`]);
  });

  it('waits when the gateway never saw it: it is neither charged nor failed by guessing', async () => {
    const order = anOrder();
    gateway.faults.isDown = true;
    await expect(aService(gateway).pay(randomUUID(), order)).rejects.toMatchObject({ transient: true });
    gateway.faults.isDown = false;
    expect((await reconcile()).outcomes).toEqual(['outcome_unknown waiting']);
    expect(await paymentOf(order)).toMatchObject({ state: 'charging' });
    expect(await typesOf(order)).toEqual([]);
  });
});

describe('money that has to go back', () => {
  it('is refunded when the refund was refused, once its time has come', async () => {
    const order = await paid('paid');
    gateway.faults.refusesRefunds = true;
    await aService(gateway).giveBack(order);
    expect((await reconcile(50)).outcomes).toEqual([]);
    expect((await reconcile(61)).outcomes).toEqual(['refund_pending failed']);
    expect(await paymentOf(order)).toMatchObject({ state: 'refunding', attempts: 2 });
    gateway.faults.refusesRefunds = false;
    expect((await reconcile(150)).outcomes).toEqual(['refund_pending waiting']);
    expect((await reconcile(200)).outcomes).toEqual(['refund_pending repaired']);
    expect(await typesOf(order)).toEqual(['payment.succeeded.v1', 'payment.refunded.v1']);
  });

  it('is refunded when its order is cancelled and nobody has begun', async () => {
    const order = await paid('cancelled');
    expect((await reconcile()).outcomes).toEqual(['refund_missing repaired']);
    expect(await paymentOf(order)).toMatchObject({ state: 'refunded' });
  });

  it('is refunded when a payment was closed and charged afterwards by a process that nobody hears of again', async () => {
    const order = anOrder();
    await aService(gateway).giveBack(order);
    const { id } = (await paymentOf(order))!;
    const zombie = { method: 'POST', headers: { 'idempotency-key': id } };
    const body = JSON.stringify({ cardToken: 'tok_visa', amount: 2100, currency: 'EUR' });
    await fetch(`${gateway.url}/v1/charges`, { ...zombie, body });
    const [one, other] = await Promise.all([reconcile(), reconcile()]);
    expect([...one.outcomes, ...other.outcomes]).toContain('charged_but_failed repaired');
    expect(gateway.refunds.size).toBe(1);
    expect(await typesOf(order)).toEqual(['payment.failed.v1', 'payment.refunded.v1']);
  });
});

describe('a finding that another process has dealt with meanwhile', () => {
  const refused = async () => {
    const order = await paid('paid');
    gateway.faults.refusesRefunds = true;
    await aService(gateway).giveBack(order);
    gateway.faults.refusesRefunds = false;
    return order;
  };

  it.each([
    ['outcome_unknown', () => lost(), 'succeeded'],
    ['refund_missing', () => paid('cancelled'), 'refunded'],
    ['refund_pending', refused, 'refunded'],
  ])('is repaired, here as well (%s)', async (finding, found, state) => {
    const order = await found();
    let other: Promise<unknown> | undefined;
    const overtaken = Object.assign(new PaymentsRepository(dataSource), {
      update: async (...of: Parameters<PaymentsRepository['update']>) => {
        await (other ??= reconcile(LATER));
        return repository.update(...of);
      },
    });
    const slow = aProcess(gateway, { payments: overtaken, inS: LATER });
    await slow.reconcile();
    expect(slow.found).toMatchObject([{ finding, outcome: 'repaired' }]);
    expect(await paymentOf(order)).toMatchObject({ state });
    expect(new Set(await typesOf(order)).size).toBe((await typesOf(order)).length);
  });
});

describe('an order that has not moved', () => {
  it('is told again under the next number, and not again before it had the time', async () => {
    const order = await paid();
    expect((await reconcile(800)).outcomes).toEqual(['order_not_told waiting']);
    expect((await reconcile(901)).outcomes).toEqual(['order_not_told repaired']);
    expect((await reconcile(1000)).outcomes).toEqual(['order_not_told waiting']);
    expect(await announced(order)).toMatchObject([
      { type: 'payment.succeeded.v1', sequence: '1' },
      { type: 'payment.succeeded.v1', sequence: '2' },
    ]);
    await aService(gateway).noteOrder(order.orderId, 'paid');
    expect((await reconcile(5000)).outcomes).toEqual([]);
  });

  it('is left alone when orders never told anything: the payment is from before', async () => {
    const order = await paid();
    await rows('UPDATE payment SET order_state = NULL WHERE order_id = $1', order.orderId);
    expect((await reconcile(5000)).outcomes).toEqual([]);
  });
});

describe('what only a person can tell', () => {
  it('is reported and not touched', async () => {
    const [more, other, back] = [await paid('paid'), await paid('refunded'), await paid('paid')];
    const chargeOf = async (order: Order) => gateway.charges.get((await paymentOf(order))!.id)!;
    (await chargeOf(more)).amount = 2101;
    (await chargeOf(back)).refundedAmount = 100;
    const unknown = { ...(await chargeOf(back)), id: 'ch_x', idempotencyKey: 'not-ours', refundedAmount: 0 };
    gateway.charges.set('not-ours', unknown);
    const { outcomes } = await reconcile();
    expect(outcomes.sort()).toEqual([
      'charge_differs reported',
      'charge_differs reported',
      'charge_unknown reported',
      'order_differs reported',
    ]);
    for (const order of [more, other, back]) expect(await typesOf(order)).toEqual(['payment.succeeded.v1']);
    expect(gateway.refunds.size).toBe(0);
  });
});
