import { onEngines, type Engines } from '../local/engines.ts';
import { table } from '../local/tables.ts';
import { info } from '../stack/progress.ts';
import { commits, latencies, openParts, throughput, type Parts, type Telling } from './outbox/parts.ts';

const LEAST_PER_SECOND = 5000;
const MOST_P99_MS = 100;
const EVENTS = 20_000;
const LOAD = { perSecond: 500, seconds: 12 };

/** What one relay gets through, how long an event takes from its commit to a handler, and what NOTIFY costs the writers. */
export function benchOutbox(runs: number, gate: boolean): Promise<number> {
  return onEngines('bench', async (engines) => {
    const { env } = engines.stack;
    const parts = await openParts(env['POSTGRES_URL']!, env['KAFKA_BROKERS']!.split(','));
    try {
      return await measured(parts, engines, { runs, gate });
    } finally {
      await parts.broker.close();
      await parts.db.end();
    }
  });
}

async function measured(
  parts: Parts,
  { report }: Engines,
  { runs, gate }: { runs: number; gate: boolean },
): Promise<number> {
  const rates: number[] = [];
  for (let run = 0; run < runs; run++) {
    rates.push(await throughput(parts, EVENTS));
    info(report, 'relay', `${Math.round(rates.at(-1)!)} events/s (${run + 1} of ${runs})`);
  }
  const rows = [['from commit to handler, 500 events/s', 'p50', 'p99', 'max']];
  let p99Ms = NaN;
  for (const notify of [false, true]) {
    const ms = await latencies(parts, { ...LOAD, notify });
    p99Ms = at(ms, 0.99);
    rows.push([
      notify ? 'with NOTIFY' : 'polling every 50 ms',
      ...[0.5, 0.99, 1].map((part) => `${at(ms, part).toFixed(1)} ms`),
    ]);
  }
  const tellings: Telling[] = ['nobody', 'NOTIFY in a trigger', 'NOTIFY after the commit'];
  const perSecond: string[][] = [['relays are told by', 'commits/s of 16 writers']];
  for (const telling of tellings) perSecond.push([telling, (await commits(parts, telling, 4)).toFixed(0)]);
  const rate = median(rates);
  console.log(`\nOne relay, ${EVENTS} events, ${runs} runs: ${rate.toFixed(0)} events/s (median)\n`);
  console.log(`${table(rows)}\n\n${table(perSecond)}`);
  const missed = [
    ...(rate >= LEAST_PER_SECOND ? [] : [`the relay is below ${LEAST_PER_SECOND} events/s`]),
    ...(p99Ms <= MOST_P99_MS ? [] : [`p99 is above ${MOST_P99_MS} ms`]),
  ];
  for (const one of missed) console.log(`✗ ${one}`);
  return gate && missed.length > 0 ? 1 : 0;
}

const at = (sorted: number[], part: number) => sorted[Math.ceil(sorted.length * part) - 1] ?? NaN;
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
