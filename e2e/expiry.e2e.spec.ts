import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@cairn/tools/demo/wait.ts';
import { mailsFor, orderReaches, placeOrder, startSystem, TOTAL, type System } from './system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem({
    ORDER_EXPIRES_AFTER_S: '1',
    EXPIRE_UNPAID_ORDERS: '* * * * * *',
    GATEWAY_TIMEOUT_MS: '300',
    GATEWAY_BREAKER_OPEN_MS: '500',
    GATEWAY_RECOVERY_MS: '250',
  });
}, 60_000);
afterAll(() => system?.stop());

describe('an order that stays unpaid', () => {
  it('expires; when its payment lands late, the money goes back', async () => {
    const shop = await system.customer();
    // The gateway takes the money and nobody hears of it.
    await system.gateway.faults({ hangAfterCaptureRate: 1 });
    const { id } = await placeOrder(shop);
    expect(await orderReaches(shop, id, 'cancelled')).toMatchObject({ reason: 'expired' });
    // A second is not long: payments may hear of the order only after it has expired.
    const captured = async () => (await system.gateway.ledgerOf(id)).captured['EUR'] === TOTAL || undefined;
    await waitFor('the charge', captured);
    expect(await system.gateway.ledgerOf(id)).toMatchObject({ charges: 1, captured: { EUR: TOTAL } });
    await system.gateway.heal();
    await orderReaches(shop, id, 'refunded');
    expect(await system.gateway.ledgerOf(id)).toMatchObject({ charges: 1, net: { EUR: 0 } });
    expect(await mailsFor(shop, id, 'order_cancelled')).toHaveLength(1);
  }, 60_000);
});
