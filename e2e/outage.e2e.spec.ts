import { afterEach, describe, expect, it } from '@jest/globals';
import { outage } from '@cairn/tools/demo/outage.ts';
import { startSystem, type System } from './system.ts';

let system: System | undefined;
afterEach(() => system?.stop());

const QUICK = {
  GATEWAY_TIMEOUT_MS: '300',
  GATEWAY_BREAKER_OPEN_MS: '1000',
  GATEWAY_RECOVERY_MS: '500',
};

async function live(env: Record<string, string>, patienceMs: number) {
  const began = await startSystem(env);
  system = began;
  const said: string[] = [];
  const { pid, log } = began.world.running.get('payments')!;
  const well = await outage(began.places, {
    orders: 12,
    payments: { pid, log },
    say: (line) => said.push(line),
    signal: new AbortController().signal,
    patienceMs,
  });
  return {
    well,
    failed: said.filter((line) => line.startsWith('✗')),
    faults: await began.gateway.readFaults(),
  };
}

/** What `npm run demo -- --outage` shows, in short. */
describe('a gateway that hangs', () => {
  it('opens the circuit and pauses partitions; once it is well, each order is paid exactly once', async () => {
    const { well, failed, faults } = await live(QUICK, 25_000);
    expect(failed).toEqual([]);
    expect(well).toBe(true);
    expect(Object.values(faults).every((rate) => rate === 0)).toBe(true);
  }, 90_000);

  it('is called on and on where no circuit opens, and that is seen; the money is right all the same', async () => {
    const never = { GATEWAY_BREAKER_MIN_CALLS: '100000', GATEWAY_BREAKER_WINDOW_CALLS: '100000' };
    const { well, failed } = await live({ ...QUICK, ...never }, 8_000);
    expect(well).toBe(false);
    expect(failed).toEqual([
      expect.stringContaining('did not open'),
      expect.stringContaining('did not close'),
    ]);
  }, 120_000);
});
