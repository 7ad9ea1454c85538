import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Gateway } from './gateway.ts';
import { openJournal } from './journal.file.ts';

const request = { amount: 1999, currency: 'EUR', cardToken: 'tok_visa', reference: 'order-1' };
const calm = { pause: async () => {}, forceDecline: false };

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'));
  path = join(folder, 'sub', 'gateway.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

function open() {
  const journal = openJournal(path);
  return { journal, gateway: new Gateway({ journal, past: journal.past }) };
}

/** One charge of 19.99 with 5.00 refunded, then closed. */
async function oneCharge() {
  const { journal, gateway } = open();
  const { result: charge } = await gateway.charge('k1', request, calm);
  await gateway.refund('r1', { chargeId: charge.id, amount: 500 }, calm);
  journal.close();
  return charge;
}

describe('a journal on disk', () => {
  it('gives charges, refunds and idempotency keys back after a restart', async () => {
    const charge = await oneCharge();
    const { journal, gateway } = open();
    expect(gateway.ledger()).toMatchObject({ charges: 1, refunds: 1, net: { EUR: 1499 } });
    expect(gateway.findChargeByKey('k1')).toEqual({ ...charge, refundedAmount: 500 });
    await expect(gateway.charge('k1', request, calm)).resolves.toEqual({ result: charge, replayed: true });
    await expect(gateway.charge('k1', { ...request, amount: 1 }, calm)).rejects.toThrow('another body');
    await expect(gateway.refund('r2', { chargeId: charge.id, amount: 1500 }, calm)).rejects.toThrow(
      '1499 EUR',
    );
    expect(gateway.ledger()).toMatchObject({ charges: 1, net: { EUR: 1499 } });
    journal.close();
  });

  it('cuts off a torn last line, says so, and goes on behind it', async () => {
    await oneCharge();
    appendFileSync(path, '{"type":"charge","key":"k2","char');
    const torn = open();
    expect(torn.journal.tornBytes).toBe(33);
    expect(torn.gateway.ledger()).toMatchObject({ charges: 1 });
    await torn.gateway.charge('k2', request, calm);
    torn.journal.close();
    const again = open();
    expect(again.journal.tornBytes).toBe(0);
    expect(again.gateway.ledger()).toMatchObject({ charges: 2 });
    again.journal.close();
  });

  it('refuses a journal that is damaged before its end, and names the line', async () => {
    await oneCharge();
    const [charge, refund] = readFileSync(path, 'utf8').split('\n');
    writeFileSync(path, `${charge}\n{"type":"gift"}\n${refund}\n`);
    expect(open).toThrow('damaged at line 2');
  });

  it('stays empty after a reset and a restart', async () => {
    await oneCharge();
    const before = open();
    before.gateway.reset();
    before.journal.close();
    const { journal, gateway } = open();
    expect(gateway.ledger()).toMatchObject({ charges: 0, net: {} });
    await expect(gateway.charge('k1', request, calm)).resolves.toMatchObject({ replayed: false });
    journal.close();
  });

  it('holds no card token', async () => {
    await oneCharge();
    expect(readFileSync(path, 'utf8')).not.toContain('tok_');
  });

  it('lets a charge that could not be kept not happen, and its key be used again', async () => {
    let full = true;
    const append = () => {
      if (full) throw new Error('disk full');
    };
    const gateway = new Gateway({ journal: { append } });
    await expect(gateway.charge('k1', request, calm)).rejects.toThrow('disk full');
    expect(gateway.ledger()).toMatchObject({ charges: 0 });
    full = false;
    await expect(gateway.charge('k1', request, calm)).resolves.toMatchObject({ replayed: false });
  });
});
