import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@cairn/tools/demo/wait.ts';
import { startApp } from '@cairn/tools/local/apps.ts';
import { orderReaches, placeOrder, startSystem, TOTAL, type System } from './system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
}, 60_000);
afterAll(() => system?.stop());

describe('an order that is read with its payment', () => {
  it('has it; without payments it is read all the same, soon and saying what is missing; then has it again', async () => {
    const shop = await system.customer();
    const { id } = await placeOrder(shop);
    const { paymentId } = await orderReaches(shop, id, 'paid');
    const payment = { id: paymentId, state: 'succeeded', amount: TOTAL, currency: 'EUR' };
    const whole = await shop.orderWithPayment(id);
    expect(whole).toMatchObject({ id, state: 'paid', payment });
    expect(whole).not.toHaveProperty('degraded');

    await system.world.running.get('payments')!.stop();
    for (let i = 0; i < 20; i++) {
      const began = performance.now();
      expect(await shop.orderWithPayment(id)).toMatchObject({
        id,
        state: 'paid',
        payment: null,
        degraded: ['payment'],
      });
      expect(performance.now() - began).toBeLessThan(2000);
    }

    system.world.running.set('payments', await startApp('payments', system.launch));
    const again = await waitFor('the circuit to close', async () => {
      const order = await shop.orderWithPayment(id);
      return order.degraded ? undefined : order;
    });
    expect(again.payment).toMatchObject(payment);
  }, 60_000);
});
