import { parseArgs } from 'node:util';
import { onStage } from '../../local/stage.ts';
import { table } from '../../local/tables.ts';
import { step } from '../../stack/progress.ts';
import type { Report } from '../../stack/types.ts';
import { UsageError } from '../kind.ts';
import { controlViolations, tellEnd } from '../load/judgement.ts';
import type { Leaving } from './replicas.ts';
import { rollingPhase, type Phase, type PhaseOptions } from './rolling-phase.ts';
import { rowsOf, violations } from './rolling-verdict.ts';

/** As the readiness probe of a deployment; replicas drain for two of them. */
export const PROBE_MS = 1000;
export const IN_ORDER: Leaving = { signal: 'SIGTERM', drainMs: 2 * PROBE_MS };
/** Each leaves out a part of leaving in order. `mustFail`: else the load would see no failure anywhere. */
export const CONTROLS: Record<string, { without: string; mustFail: boolean; leaving: Leaving }> = {
  'no-drain': {
    without: 'serving on until the balancer has noticed',
    // Closing alone takes a moment, in which readiness is 503: sometimes that is enough.
    mustFail: false,
    leaving: { signal: 'SIGTERM', drainMs: 0 },
  },
  'bare-exit': {
    without: 'closing anything: process.exit on SIGTERM',
    mustFail: true,
    leaving: { signal: 'SIGTERM', drainMs: 0, bareExit: true },
  },
  kill: { without: 'anything: SIGKILL', mustFail: true, leaving: { signal: 'SIGKILL', drainMs: 0 } },
};

const RATE_PER_S = 210;

export const USAGE = '[--quick] [--restarts <n>] [--rate <requests/s>] [--seed <n>]';

type Settings = {
  restarts: number;
  ratePerS: number;
  leastRequests: number;
  controlRestarts: number;
  seed: number;
};

function settingsOf(args: string[]): Settings {
  const text = { type: 'string' } as const;
  const options = { quick: { type: 'boolean' }, restarts: text, rate: text, seed: text } as const;
  const { values } = parseArgs({ args, options });
  const number = (name: 'restarts' | 'rate' | 'seed', fallback: number) => {
    const value = Number(values[name] ?? fallback);
    if (!Number.isInteger(value) || value < 1)
      throw new UsageError(`--${name} must be a whole number above 0`);
    return value;
  };
  return {
    restarts: number('restarts', values.quick ? 4 : 20),
    ratePerS: number('rate', RATE_PER_S),
    leastRequests: values.quick ? 2000 : 10_000,
    controlRestarts: values.quick ? 2 : 4,
    seed: number('seed', Math.trunc(Math.random() * 1e9) + 1),
  };
}

/** Restarts orders under load, first in order and then by each control. 1 when anything is not as it must be. */
export async function rolling(args: string[]): Promise<number> {
  const settings = settingsOf(args);
  const began = performance.now();
  return onStage('chaos', ['payments'], async ({ launch, report, signal }) => {
    const common = { launch, signal, probeMs: PROBE_MS, ratePerS: settings.ratePerS, seed: settings.seed };
    const { restarts, leastRequests } = settings;
    const orderly = {
      ...common,
      name: 'in-order',
      leaving: IN_ORDER,
      restarts,
      leastRequests,
      settleMs: 60_000,
    };
    const phases = [await shown(report, 'SIGTERM, drained for two probe periods', orderly)];
    for (const [name, { without, leaving }] of Object.entries(CONTROLS)) {
      const control = { ...common, name, leaving, restarts: settings.controlRestarts, settleMs: 0 };
      phases.push(await shown(report, `control without ${without}`, control));
    }
    // 200/s of the default rate: a twentieth is the luck of the draw.
    const leastRatePerS = Math.round((settings.ratePerS * 200) / RATE_PER_S);
    const demands = { restarts, leastRequests, leastRatePerS };
    const wrong = [
      ...violations(phases[0]!, demands),
      ...phases.slice(1).flatMap((phase) => controlViolations(phase, CONTROLS[phase.name]!.mustFail)),
    ];
    tell(phases, wrong, settings, performance.now() - began);
    return wrong.length > 0 ? 1 : 0;
  });
}

function shown(report: Report, message: string, options: PhaseOptions): Promise<Phase> {
  const began = performance.now();
  let progress = '';
  const onProgress = (text: string) => {
    progress = text;
    // On a terminal the line is rewritten; elsewhere `step` prints one every 5 s.
    const elapsedMs = Math.round(performance.now() - began);
    if (process.stdout.isTTY)
      report({ step: options.name, state: 'running', message: `${message}: ${text}`, elapsedMs });
  };
  const work = () => rollingPhase({ ...options, onProgress });
  return step(report, options.name, message, work, () => `: ${progress}`);
}

function tell(phases: Phase[], wrong: string[], { seed, ratePerS }: Settings, tookMs: number): void {
  const [orderly] = phases as [Phase];
  const most = (pick: (restart: Phase['restarts'][number]) => number) =>
    (Math.max(...orderly.restarts.map(pick)) / 1000).toFixed(1);
  console.log(`\n${table(rowsOf(phases))}\n`);
  console.log(
    `In order: out of the balancer at most ${most((one) => one.outAfterMs ?? Infinity)} s after SIGTERM, gone after ` +
      `${most((one) => one.goneAfterMs)} s, back after ${most((one) => one.backAfterMs)} s. ` +
      `${orderly.orders.confirmed} orders confirmed, ${orderly.orders.stored} stored, ${orderly.orders.paid} paid.`,
  );
  console.log(
    `Open loop at ${ratePerS}/s, no retries, seed ${seed}, ${(tookMs / 1000).toFixed(0)} s in all.`,
  );
  tellEnd(phases, wrong, 'nothing failed while replicas left in order, and the controls did fail');
}
