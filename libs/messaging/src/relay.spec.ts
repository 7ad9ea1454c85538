import { describe, expect, it } from '@jest/globals';
import { createEvent } from './event.ts';
import { outboxRow, type OutboxStore, type StoredRow } from './outbox.ts';
import { OutboxRelay, type RelayOptions } from './relay.ts';

const rowOf = (n: number, key = 'a'): StoredRow => ({
  id: String(n),
  ...outboxRow(
    'orders',
    createEvent({ type: 'n.v1', source: '/t', subject: key, data: { n }, time: new Date(0) }),
  ),
});

/** An outbox in memory, and a clock that stands still until somebody moves it. */
function outbox(rows: StoredRow[]) {
  const asked: string[] = [];
  const clock = { ms: 0 };
  const lease = { holder: '', epoch: 0 };
  const holds = (holder: string, epoch: string) => lease.holder === holder && String(lease.epoch) === epoch;
  const parked: [string, string][] = [];
  const store: OutboxStore = {
    lease: async (holder) => {
      asked.push('lease');
      if (lease.holder !== '' && lease.holder !== holder) return undefined;
      if (lease.holder !== holder) Object.assign(lease, { holder, epoch: lease.epoch + 1 });
      return { epoch: String(lease.epoch) };
    },
    read: async (limit, holder, epoch) => (holds(holder, epoch) ? rows.slice(0, limit) : []),
    remove: async (ids, holder, epoch) => {
      if (!holds(holder, epoch)) return 0;
      ids.forEach((id) =>
        rows.splice(
          rows.findIndex((row) => row.id === id),
          1,
        ),
      );
      return ids.length;
    },
    park: async (id, reason, holder, epoch) => {
      if (!holds(holder, epoch)) return false;
      parked.push([id, reason]);
      rows.splice(
        rows.findIndex((row) => row.id === id),
        1,
      );
      return true;
    },
    release: async () => void Object.assign(lease, { holder: '' }),
    stats: async () => ({ depth: rows.length, oldestAgeMs: 0, parked: parked.length }),
  };
  const sent: string[] = [];
  const relayOf = (options: Partial<RelayOptions> = {}) =>
    new OutboxRelay({
      store,
      holder: 'one',
      now: () => clock.ms,
      publish: async (some) => void sent.push(some.map((row) => (row as StoredRow).id).join()),
      ...options,
    } as RelayOptions);
  return { asked, clock, lease, parked, rows, sent, store, relayOf };
}

const refused = () => Object.assign(new Error('too large'), { refused: true });
const until = async (condition: () => boolean) => {
  for (let turns = 0; !condition(); turns++) {
    if (turns === 10_000) throw new Error('it does not come to that');
    await new Promise((resolve) => setImmediate(resolve));
  }
};

describe('the lease', () => {
  it('is renewed when a third of it is used, not in every round', async () => {
    const { asked, clock, relayOf } = outbox([]);
    const relay = relayOf({ leaseMs: 3000, publishMs: 1000 });
    for (clock.ms = 0; clock.ms < 3000; clock.ms += 100) await relay.relayOnce();
    expect(asked).toHaveLength(3);
  });

  it('is renewed before a send for which too little of it is left', async () => {
    const { asked, clock, store, relayOf } = outbox([rowOf(1)]);
    const read = store.read;
    store.read = async (...of) => {
      clock.ms += 1500;
      return read(...of);
    };
    expect(await relayOf({ leaseMs: 3000, publishMs: 2000 }).relayOnce()).toBe(1);
    expect(asked).toEqual(['lease', 'lease']);
  });

  it('that ended while the process was stopped sends nothing, since another relay has it', async () => {
    const { clock, lease, rows, sent, store, relayOf } = outbox([rowOf(1)]);
    const read = store.read;
    store.read = async (...of) => {
      const found = await read(...of);
      // As SIGSTOP and SIGCONT do: the clock has gone on, and somebody else has taken over.
      clock.ms += 60_000;
      Object.assign(lease, { holder: 'two', epoch: 2 });
      return found;
    };
    expect(await relayOf().relayOnce()).toBe(0);
    expect(sent).toEqual([]);
    expect(rows).toHaveLength(1);
  });

  it('that another had in between is not the one under which the rows were read', async () => {
    const { clock, lease, sent, store, relayOf } = outbox([rowOf(1)]);
    const read = store.read;
    store.read = async (...of) => {
      const found = await read(...of);
      clock.ms += 60_000;
      Object.assign(lease, { holder: '', epoch: 7 });
      return found;
    };
    expect(await relayOf().relayOnce()).toBe(0);
    expect(sent).toEqual([]);
  });

  it('must be longer than a send', () => {
    expect(() => outbox([]).relayOf({ publishMs: 3000, leaseMs: 3000 })).toThrow(
      'publishMs (3000) must be below leaseMs (3000)',
    );
  });
});

describe('a row that the broker refuses for good', () => {
  const taking = (bad: string[], sent: string[]) => async (rows: { key: string }[]) => {
    const ids = (rows as StoredRow[]).map(({ id }) => id);
    if (ids.some((id) => bad.includes(id))) throw refused();
    sent.push(...ids);
  };

  it('is found and parked with its reason; the others go out in their order', async () => {
    const { parked, rows, sent, relayOf } = outbox([1, 2, 3, 4, 5, 6, 7].map((n) => rowOf(n)));
    const told: string[] = [];
    const relay = relayOf({ publish: taking(['3', '6'], sent), onParked: ({ id }) => told.push(id) });
    expect(await relay.relayOnce()).toBe(5);
    expect(sent).toEqual(['1', '2', '4', '5', '7']);
    expect(parked).toEqual([
      ['3', 'too large'],
      ['6', 'too large'],
    ]);
    expect(told).toEqual(['3', '6']);
    expect(rows).toEqual([]);
  });

  it('holds up what is behind it until it is parked', async () => {
    const { sent, store, relayOf } = outbox([1, 2, 3].map((n) => rowOf(n)));
    store.park = () => Promise.reject(new Error('database away'));
    await expect(relayOf({ publish: taking(['1'], sent) }).relayOnce()).rejects.toThrow('database away');
    expect(sent).toEqual([]);
  });

  it('is left alone by a relay that has lost the lease', async () => {
    const { lease, parked, rows, relayOf } = outbox([rowOf(1)]);
    const publish = async () => {
      Object.assign(lease, { holder: 'two', epoch: 2 });
      throw refused();
    };
    expect(await relayOf({ publish }).relayOnce()).toBe(0);
    expect(parked).toEqual([]);
    expect(rows).toHaveLength(1);
  });

  it('is not what an outage makes of it', async () => {
    const { parked, rows, sent, relayOf } = outbox([1, 2, 3, 4].map((n) => rowOf(n)));
    const publish = async (some: unknown[]) => {
      // The first half goes, and then the broker is away.
      if (some.length > 2) throw refused();
      if (sent.length > 0) throw new Error('broker away');
      sent.push(...(some as StoredRow[]).map(({ id }) => id));
    };
    await expect(relayOf({ publish }).relayOnce()).rejects.toThrow('broker away');
    expect(parked).toEqual([]);
    expect(rows.map(({ id }) => id)).toEqual(['3', '4']);
  });
});

describe('a relay that runs', () => {
  /** Each pause of the relay, which lasts until it is ended. */
  const pauses = () => {
    const all: { ms: number; end: () => void }[] = [];
    const sleep = (ms: number, signal: AbortSignal) =>
      new Promise<void>((end) => {
        all.push({ ms, end });
        signal.addEventListener('abort', () => end());
      });
    return { all, sleep };
  };

  it('is woken by what it hears, and looks seldom while it listens', async () => {
    const { rows, sent, relayOf } = outbox([]);
    const { all, sleep } = pauses();
    let hear = (_payload: string) => {};
    const listen: RelayOptions['listen'] = ({ notified, connected }) => {
      hear = notified;
      connected(true);
      return { close: async () => connected(false) };
    };
    const relay = relayOf({ sleep, listen });
    relay.start();
    await until(() => all.length === 1);
    rows.push(rowOf(1));
    hear('');
    await until(() => sent.length === 1);
    await until(() => all.length === 2);
    expect(all.map(({ ms }) => ms)).toEqual([1000, 1000]);
    expect(relay.wake()).toBe(true);
    await relay.stop();
  });

  it('asks for the lease seldom while another has it, and at once when that gives it back', async () => {
    const { asked, lease, rows, sent, relayOf } = outbox([rowOf(1)]);
    Object.assign(lease, { holder: 'two', epoch: 1 });
    const { all, sleep } = pauses();
    let hear = (_payload: string) => {};
    const relay = relayOf({
      sleep,
      listen: ({ notified }) => ((hear = notified), { close: async () => {} }),
    });
    relay.start();
    await until(() => all.length === 1);
    expect(all[0]!.ms).toBe(500);
    expect(relay.wake()).toBe(false);
    hear('');
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toHaveLength(1);
    lease.holder = '';
    hear('released');
    await until(() => sent.length === 1);
    expect(rows).toEqual([]);
    await relay.stop();
  });

  it('pauses longer from failure to failure, and nothing that it hears shortens that', async () => {
    const { relayOf } = outbox([rowOf(1)]);
    const { all, sleep } = pauses();
    const publish = () => Promise.reject(new Error('broker away'));
    const relay = relayOf({ sleep, publish, pollMs: 100 });
    relay.start();
    for (let failures = 1; failures <= 6; failures++) {
      await until(() => all.length === failures);
      relay.wake();
      await new Promise((resolve) => setImmediate(resolve));
      expect(all).toHaveLength(failures);
      all.at(-1)!.end();
    }
    expect(all.map(({ ms }) => ms).slice(0, 6)).toEqual([100, 200, 400, 800, 1000, 1000]);
    await relay.stop();
  });

  it('stops without waiting for a database that does not answer', async () => {
    const { store, relayOf } = outbox([]);
    const { all, sleep } = pauses();
    const errors: unknown[] = [];
    store.read = () => new Promise(() => {});
    store.release = () => new Promise(() => {});
    const relay = relayOf({ sleep, onError: (error) => errors.push(error) });
    relay.start();
    await new Promise((resolve) => setImmediate(resolve));
    const stopped = relay.stop();
    // A second for the question under way, and one to give the lease back.
    await until(() => all.length === 1);
    all[0]!.end();
    await until(() => all.length === 3);
    all.forEach(({ end }) => end());
    await stopped;
    expect(all.map(({ ms }) => ms)).toEqual([1000, 1000, 1000]);
    expect(errors.map(String)).toEqual([
      'Error: no answer within 1000 ms of the stop',
      'Error: no answer within 1000 ms of the stop',
    ]);
  });
});
