import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@cairn/tools/demo/wait.ts';
import { startApp } from '@cairn/tools/local/apps.ts';
import { orderReaches, placeOrder, startSystem, TOTAL, type System } from './system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
}, 60_000);
afterAll(() => system?.stop());

describe('payments, killed in the middle of a charge', () => {
  it('charges the order once after its restart, and the order is paid', async () => {
    const shop = await system.customer();
    await system.gateway.faults({ latencyMs: 1500 });
    const { id } = await placeOrder(shop);
    await waitFor(
      'the charge to be under way',
      async () => (await system.gateway.inFlight()) > 0 || undefined,
    );
    const payments = system.world.running.get('payments')!;
    process.kill(payments.pid, 'SIGKILL');
    expect(await payments.exited).toBe('signal SIGKILL');
    await payments.stop();
    expect((await shop.order(id)).state).toBe('pending');

    await system.gateway.heal();
    system.world.running.set('payments', await startApp('payments', system.launch));
    await orderReaches(shop, id, 'paid');
    expect(await system.gateway.ledgerOf(id)).toMatchObject({ charges: 1, net: { EUR: TOTAL } });
  }, 90_000);
});
