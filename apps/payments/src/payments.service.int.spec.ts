import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { aGateway, closeGateways, type Gateway } from './gateway.fixture.ts';
import { anOrder, onEngines, type Order } from './payments.fixture.ts';
import { PaymentsRepository } from './payments.repository.ts';

/** Real: PostgreSQL, and the client on HTTP. The gateway is small, keeps books by key, and loses answers when told. */
const { open, close, dataSource, repository, rows, aProcess, aService, paymentOf, announced } = onEngines();
beforeAll(open);
afterEach(closeGateways);
afterAll(close);

/** Dies when it wants to save what the gateway said. */
const dying = () =>
  Object.assign(new PaymentsRepository(dataSource), { update: () => Promise.reject(new Error('killed')) });
const succeeded = async (order: Order) => ({
  type: 'payment.succeeded.v1',
  data: { paymentId: (await paymentOf(order))!.id, orderId: order.orderId, amount: 2100, currency: 'EUR' },
});
const paidAndRefunded = [
  { type: 'payment.succeeded.v1', sequence: '1', sequencetype: 'Integer' },
  { type: 'payment.refunded.v1', sequence: '2', sequencetype: 'Integer' },
];

describe('a payment', () => {
  it('is charged once and announced once, however often its message comes', async () => {
    const [gateway, order, messageId] = [await aGateway(), anOrder(), randomUUID()];
    await Promise.all([1, 2, 3].map(() => aService(gateway).pay(messageId, order)));
    await aService(gateway).pay(messageId, order);
    await aService(gateway).pay(randomUUID(), order);
    expect(gateway.charges.size).toBe(1);
    expect(await announced(order)).toMatchObject([await succeeded(order)]);
  });

  it('is settled by the next delivery, under the same key, when a process died after the charge', async () => {
    const [gateway, order, messageId] = [await aGateway(), anOrder(), randomUUID()];
    await expect(aService(gateway, { payments: dying() }).pay(messageId, order)).rejects.toThrow('killed');
    expect(await paymentOf(order)).toMatchObject({ state: 'charging' });
    expect(await announced(order)).toEqual([]);
    await aService(gateway).pay(messageId, order);
    const { id } = (await paymentOf(order))!;
    expect(gateway.calls).toEqual([`POST /v1/charges ${id}`, `POST /v1/charges ${id}`]);
    expect(gateway.charges.size).toBe(1);
    expect(await announced(order)).toMatchObject([await succeeded(order)]);
  });

  it('fails with the reason of the gateway, and is not charged again', async () => {
    const [gateway, order, messageId] = [await aGateway(), anOrder('tok_expiredCard'), randomUUID()];
    await aService(gateway).pay(messageId, order);
    await aService(gateway).pay(messageId, order);
    const payment = (await paymentOf(order))!;
    expect(payment).toMatchObject({ state: 'failed', reason: 'expired_card' });
    expect(await announced(order)).toMatchObject([
      { type: 'payment.failed.v1', data: { reason: 'expired_card' } },
    ]);
    expect(gateway.calls).toHaveLength(1);
    expect(await aService(gateway).get('ada', payment.id)).toMatchObject({ reason: 'expired_card' });
    await expect(aService(gateway).get('eve', payment.id)).rejects.toMatchObject({
      code: 'payment_not_found',
    });
  });

  it('keeps no card token', async () => {
    const [gateway, order] = [await aGateway(), anOrder(`tok_${randomUUID()}`)];
    await aService(gateway).pay(randomUUID(), order);
    for (const table of ['payment', 'outbox', 'inbox']) {
      expect(JSON.stringify(await rows(`SELECT * FROM ${table}`))).not.toContain(order.cardToken);
    }
  });
});

describe('a payment whose answer was lost', () => {
  const lost = async (fault: keyof Gateway['faults'], timeoutMs = 5000) => {
    const [gateway, order] = [await aGateway(), anOrder()];
    gateway.faults[fault] = true;
    const paying = aService(gateway, { timeoutMs }).pay(randomUUID(), order);
    await expect(paying).rejects.toMatchObject({ transient: true });
    gateway.faults[fault] = false;
    expect(await paymentOf(order)).toMatchObject({ state: 'charging' });
    expect(await announced(order)).toEqual([]);
    return { gateway, order };
  };

  it('is settled by asking, once it is old enough', async () => {
    const { gateway, order } = await lost('losesAnswers');
    await aProcess(gateway).reconcile();
    expect(await paymentOf(order)).toMatchObject({ state: 'charging' });
    await Promise.all([1, 2].map(() => aProcess(gateway, { inS: 61 }).reconcile()));
    expect(await announced(order)).toMatchObject([await succeeded(order)]);
    expect(gateway.calls.filter((call) => call.startsWith('POST'))).toHaveLength(1);
  });

  it.each([
    ['was down', 'isDown', 5000],
    ['did not answer in time', 'isSilent', 50],
  ] as const)(
    'stays open when the gateway %s, and is settled by charging again',
    async (_, fault, timeoutMs) => {
      const { order } = await lost(fault, timeoutMs);
      // Another one, which nothing can reach late that the client has given up.
      const gateway = await aGateway();
      await aProcess(gateway, { inS: 61 }).reconcile();
      expect(await paymentOf(order)).toMatchObject({ state: 'charging' });
      await aService(gateway).pay(randomUUID(), order);
      expect(await announced(order)).toMatchObject([await succeeded(order)]);
    },
  );

  it('is found out and given back when its order is cancelled', async () => {
    const { gateway, order } = await lost('losesAnswers');
    await aService(gateway).giveBack(order);
    expect(await announced(order)).toMatchObject(paidAndRefunded);
    expect([gateway.charges.size, gateway.refunds.size]).toEqual([1, 1]);
  });
});

describe('a refund', () => {
  it('is made once, however often its message comes and whoever dies in between', async () => {
    const [gateway, order] = [await aGateway(), anOrder()];
    await aService(gateway).pay(randomUUID(), order);
    const lateToSave = aService(gateway, { payments: dying() }).giveBack(order);
    await expect(lateToSave).rejects.toThrow('killed');
    await Promise.all([1, 2].map(() => aService(gateway).giveBack(order)));
    await aService(gateway).giveBack(order);
    const { id } = (await paymentOf(order))!;
    expect([...gateway.refunds.keys()]).toEqual([`refund-${id}`]);
    expect(await announced(order)).toMatchObject(paidAndRefunded);
    expect(await paymentOf(order)).toMatchObject({ state: 'refunded' });
  });

  it('is decided before the gateway hears of it, and made by the next delivery when the gateway was away', async () => {
    const [gateway, order] = [await aGateway(), anOrder()];
    await aService(gateway).pay(randomUUID(), order);
    gateway.faults.isDown = true;
    await expect(aService(gateway).giveBack(order)).rejects.toMatchObject({ transient: true });
    expect(await paymentOf(order)).toMatchObject({ state: 'refunding', attempts: 0 });
    expect(await announced(order)).toMatchObject(paidAndRefunded.slice(0, 1));
    gateway.faults.isDown = false;
    await aService(gateway).giveBack(order);
    expect(await announced(order)).toMatchObject(paidAndRefunded);
  });

  it('whose answer was lost is asked for under its own key, and made once', async () => {
    const [gateway, order] = [await aGateway(), anOrder()];
    await aService(gateway).pay(randomUUID(), order);
    gateway.faults.losesAnswers = true;
    await expect(aService(gateway).giveBack(order)).rejects.toMatchObject({ transient: true });
    gateway.faults.losesAnswers = false;
    await aService(gateway).giveBack(order);
    expect(gateway.refunds.size).toBe(1);
    expect(await paymentOf(order)).toMatchObject({ state: 'refunded' });
  });

  it('that is refused is no dead letter: it stays pending, and the customer sees why', async () => {
    const [gateway, order] = [await aGateway(), anOrder()];
    await aService(gateway).pay(randomUUID(), order);
    gateway.faults.refusesRefunds = true;
    await aService(gateway).giveBack(order);
    const payment = (await paymentOf(order))!;
    expect(payment).toMatchObject({ state: 'refunding', attempts: 1, refusal: 'refund_refused' });
    expect(await aService(gateway).get('ada', payment.id)).toMatchObject({
      state: 'refunding',
      reason: 'refund_refused',
    });
    expect(await announced(order)).toMatchObject(paidAndRefunded.slice(0, 1));
  });

  it('that is refused to two who try at the same moment counts as one try', async () => {
    const [gateway, order] = [await aGateway(), anOrder()];
    await aService(gateway).pay(randomUUID(), order);
    gateway.faults.refusesRefunds = true;
    let updates = 0;
    const overtaken = Object.assign(new PaymentsRepository(dataSource), {
      update: async (...of: Parameters<PaymentsRepository['update']>) => {
        // The second one writes down what the gateway has said.
        if (++updates === 2) await aService(gateway).giveBack(order);
        return repository.update(...of);
      },
    });
    await aService(gateway, { payments: overtaken }).giveBack(order);
    expect(gateway.calls.filter((call) => call.startsWith('POST /v1/refunds'))).toHaveLength(2);
    expect(await paymentOf(order)).toMatchObject({ state: 'refunding', attempts: 1 });
  });

  it('is made when a payment lands between the question and the closing', async () => {
    const [gateway, order] = [await aGateway(), anOrder()];
    const late = Object.assign(new PaymentsRepository(dataSource), {
      update: async (...of: Parameters<PaymentsRepository['update']>) => {
        await aService(gateway).pay(randomUUID(), order);
        return repository.update(...of);
      },
    });
    await aService(gateway, { payments: late }).giveBack(order);
    expect(await announced(order)).toMatchObject(paidAndRefunded);
    expect([gateway.charges.size, gateway.refunds.size]).toEqual([1, 1]);
  });

  it('is not made of what was never charged', async () => {
    const [gateway, declined] = [await aGateway(), anOrder('tok_expiredCard')];
    await aService(gateway).pay(randomUUID(), declined);
    await aService(gateway).giveBack(declined);
    await aService(gateway).giveBack(anOrder());
    expect(gateway.refunds.size).toBe(0);
  });

  it('closes what nobody has charged, so that a late replay of the order charges nothing', async () => {
    const [gateway, order] = [await aGateway(), anOrder()];
    await aService(gateway).giveBack(order);
    await aService(gateway).pay(randomUUID(), order);
    expect(await paymentOf(order)).toMatchObject({ state: 'failed', reason: 'order_cancelled' });
    expect(gateway.charges.size).toBe(0);
  });

  it.each(['lives on', 'dies before it can give back'])(
    'is made of what a process charged that was thought dead, when it %s',
    async (what) => {
      const [gateway, order, messageId] = [await aGateway(), anOrder(), randomUUID()];
      // It has sent its charge when another process, asked to give back, hears of none and closes the payment.
      const overtaken = Object.assign(Object.create(repository) as PaymentsRepository, {
        update: repository.update.bind(repository),
        open: async (...args: Parameters<PaymentsRepository['open']>) => {
          const payment = await repository.open(...args);
          await aService(gateway).giveBack(order);
          return payment;
        },
        ofOrder: (orderId: string) =>
          what === 'lives on' ? repository.ofOrder(orderId) : Promise.reject(new Error('killed')),
      });
      const zombie = aService(gateway, { payments: overtaken }).pay(messageId, order);
      if (what === 'lives on') await zombie;
      else {
        await expect(zombie).rejects.toThrow('killed');
        await aService(gateway).pay(messageId, order);
      }
      expect([gateway.charges.size, gateway.refunds.size]).toEqual([1, 1]);
      // In our own books as well: closed at first, then given back.
      expect(await paymentOf(order)).toMatchObject({ state: 'refunded' });
      expect(await announced(order)).toMatchObject([
        { type: 'payment.failed.v1', sequence: '1' },
        { type: 'payment.refunded.v1', sequence: '2' },
      ]);
    },
  );
});

describe('what orders tells', () => {
  it('is noted on the payment, forward only and without an event', async () => {
    const [gateway, order] = [await aGateway(), anOrder()];
    const service = aService(gateway);
    await service.pay(randomUUID(), order);
    expect(await paymentOf(order)).toMatchObject({ state: 'succeeded', orderState: 'pending' });
    for (const state of ['paid', 'refunded', 'paid'] as const) await service.noteOrder(order.orderId, state);
    expect(await paymentOf(order)).toMatchObject({ state: 'succeeded', orderState: 'refunded' });
    expect(await announced(order)).toHaveLength(1);
    await service.noteOrder(randomUUID(), 'paid');
  });
});
