import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startGateway, until } from './gateway.fixture.ts';

let gateway: ReturnType<typeof startGateway>;
beforeEach(() => void (gateway = startGateway()));
afterEach(() => gateway.app.close());

describe('an injected fault', () => {
  it('before the capture leaves nothing behind', async () => {
    await gateway.switchOn({ errorRate: 1 });
    expect((await gateway.charge('k1')).statusCode).toBe(503);
    await gateway.switchOn({ errorRate: 0, rateLimitRate: 1 });
    const limited = await gateway.charge('k1');
    expect([limited.statusCode, limited.headers['retry-after']]).toEqual([429, '1']);
    expect(await gateway.ledger()).toMatchObject({ charges: 0, inFlight: 0 });
  });

  it('after the capture leaves the charge behind: asking finds it, and so does a retry', async () => {
    await gateway.switchOn({ errorAfterCaptureRate: 1 });
    expect((await gateway.charge('k1')).json()).toMatchObject({ status: 500, code: 'failed_after_capture' });
    const found = (await gateway.get('/v1/charges?idempotencyKey=k1')).json().charge;
    expect(found).toMatchObject({ status: 'succeeded', amount: 1999 });
    await gateway.switchOff();
    expect((await gateway.charge('k1')).json()).toEqual(found);
    expect(await gateway.ledger()).toMatchObject({ charges: 1 });
  });

  it.each([
    ['before', 'hangRate', 0],
    ['after', 'hangAfterCaptureRate', 1],
  ] as const)(
    'of a hang %s the capture answers never, and is over when the client gives up',
    async (_, fault, charges) => {
      await gateway.switchOn({ [fault]: 1 });
      const hung = await gateway.openCharge('k1');
      await until(async () => (await gateway.ledger()).hung === 1);
      expect(hung.answered()).toBe(false);
      hung.giveUp();
      await until(async () => (await gateway.ledger()).hung === 0);
      await gateway.switchOff();
      expect(await gateway.ledger()).toMatchObject({ charges, inFlight: 0 });
      expect((await gateway.get('/v1/charges?idempotencyKey=k1')).statusCode).toBe(charges === 1 ? 200 : 404);
    },
  );

  it('of latency lets the charge happen though the client gave up, and asking meanwhile is told to come back', async () => {
    await gateway.switchOn({ latencyMs: 500 });
    const slow = await gateway.openCharge('k1');
    await until(async () => (await gateway.ledger()).inFlight === 1);
    await gateway.switchOn({ latencyMs: 0 });
    const meanwhile = await gateway.get('/v1/charges?idempotencyKey=k1');
    expect([meanwhile.statusCode, meanwhile.headers['retry-after']]).toEqual([409, '1']);
    slow.giveUp();
    await until(async () => (await gateway.ledger()).inFlight === 0);
    expect(await gateway.ledger()).toMatchObject({ charges: 1 });
  });

  it('does not keep the server from stopping, neither a hang nor an hour’s latency', async () => {
    await gateway.switchOn({ hangRate: 1 });
    await gateway.openCharge('k1');
    await until(async () => (await gateway.ledger()).hung === 1);
    await gateway.switchOn({ hangRate: 0, latencyMs: 600_000 });
    await gateway.openCharge('k2');
    await until(async () => (await gateway.ledger()).inFlight === 1);
    await gateway.app.close();
  });
});
