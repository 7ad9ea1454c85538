import { readFileSync } from 'node:fs';
import type { LaunchOptions } from '../local/apps.ts';
import { onStage } from '../local/stage.ts';
import { table } from '../local/tables.ts';
import { fetchToken } from '../local/token.ts';
import type { Child } from '../stack/child.ts';
import { load, prepareOrder, WORK, type Kind, type Target } from './telemetry/load.ts';
import { SIDES, startSide, startSink, type Side } from './telemetry/sides.ts';

/** Requests per second with logging and tracing on, against both off. */
const LIMIT = 0.75;
const SECONDS = 2;
/** By then what is hot is compiled. */
const WARM_UP_REQUESTS = 4000;

type Figures = { perSecond: number; cpuUs: number };
type Measured = Record<Side, Record<Kind, Figures[]>>;

/**
 * What logging and tracing cost: the same app on the same engines, once with each side's variables, all of them up at
 * the same time and loaded in turn. Rounds are short and their order alternates, so that what else the machine does
 * falls on all alike.
 */
export function benchTelemetry(rounds: number, gate: boolean): Promise<number> {
  return onStage('bench', [], async ({ launch, signal }) => {
    const stops: (() => Promise<void>)[] = [];
    try {
      const sink = await startSink(launch);
      stops.unshift(() => sink.child.stop());
      const targets = await startSides(launch, sink.url, stops);
      return verdict(await measure(targets, rounds, signal), rounds, gate);
    } finally {
      for (const stop of stops) await stop();
    }
  });
}

type Running = Record<Side, Target & { child: Child }>;

async function startSides(
  launch: LaunchOptions,
  sink: string,
  stops: (() => Promise<void>)[],
): Promise<Running> {
  const token = await fetchToken('bench', 3600, `http://127.0.0.1:${launch.ports.issuer}`);
  const running: Partial<Running> = {};
  for (const side of SIDES) {
    const { child, port } = await startSide(side, launch, sink);
    stops.unshift(() => child.stop());
    running[side] = { child, port, token, orderId: '' };
  }
  const orderId = await prepareOrder(running.both!);
  for (const side of SIDES) running[side]!.orderId = orderId;
  return running as Running;
}

async function measure(targets: Running, rounds: number, signal: AbortSignal): Promise<Measured> {
  const measured = Object.fromEntries(
    SIDES.map((side) => [side, { read: [], write: [] }]),
  ) as unknown as Measured;
  for (const kind of WORK)
    for (const side of SIDES) await load(kind, targets[side], { requests: WARM_UP_REQUESTS });
  for (let round = 0; round < rounds && !signal.aborted; round++) {
    for (const kind of WORK) {
      const order = round % 2 === 0 ? SIDES : SIDES.toReversed();
      for (const side of order) {
        const { child, ...target } = targets[side];
        const before = cpuMs(child.pid);
        const { requests, seconds } = await load(kind, target, { seconds: SECONDS });
        const cpuUs = ((cpuMs(child.pid) - before) * 1000) / requests;
        measured[side][kind].push({ perSecond: requests / seconds, cpuUs });
      }
    }
    process.stderr.write(`round ${round + 1} of ${rounds}${process.stderr.isTTY ? '\r' : '\n'}`);
  }
  return measured;
}

/** Processor time of a process so far, from Linux' /proc: 10 ms is its grain. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function verdict(measured: Measured, rounds: number, gate: boolean): number {
  const rows = [
    ['requests', 'on', 'per second', 'of both off', 'min', 'max', 'processor time each', 'of both off', ''],
  ];
  let missed = 0;
  for (const kind of WORK) {
    for (const side of SIDES) {
      const ratios = measured[side][kind].map(
        ({ perSecond }, round) => perSecond / measured.neither[kind][round]!.perSecond,
      );
      const rate = (of: Side) => median(measured[of][kind].map(({ perSecond }) => perSecond));
      const cpu = (of: Side) => median(measured[of][kind].map(({ cpuUs }) => cpuUs));
      const ratio = rate(side) / rate('neither');
      const isGated = side === 'both';
      if (isGated && !(ratio >= LIMIT)) missed++;
      rows.push([
        kind === 'read' ? 'read an order' : 'draft + confirm',
        side,
        rate(side).toFixed(0),
        ratio.toFixed(3),
        Math.min(...ratios).toFixed(3),
        Math.max(...ratios).toFixed(3),
        `${cpu(side).toFixed(0)} µs`,
        (cpu(side) / cpu('neither')).toFixed(3),
        isGated ? (ratio >= LIMIT ? `≥ ${LIMIT}` : `BELOW ${LIMIT}`) : '',
      ]);
    }
  }
  console.log(
    `\n${rounds} rounds of ${SECONDS} s each, in turn; medians, min and max of the ratio of a round:`,
  );
  console.log(table(rows));
  return gate && missed > 0 ? 1 : 0;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
