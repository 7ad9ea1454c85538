import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../../local/tables.ts';
import { repoRoot, stackDir } from '../../stack/paths.ts';
import { step } from '../../stack/progress.ts';
import { onCompose, type Project } from '../compose-project.ts';
import { UsageError } from '../kind.ts';
import { controlViolations, tellEnd } from '../load/judgement.ts';
import { EDGE_CONTROLS } from './edge-controls.ts';
import { ORDERS, scaledPhase, type ScaledOptions, type ScaledPhase } from './scaled-phase.ts';
import { rowsOf, violations } from './scaled-verdict.ts';

export const SCALED_USAGE = '[--quick] [--kills <n>] [--rate <requests/s>] [--seed <n>]';

/** The balancer's configuration, and where it is in its image. */
const CONFIG = 'infra/compose/edge/haproxy.cfg';
const INSIDE = '/usr/local/etc/haproxy/haproxy.cfg';

const RATE_PER_S = 60;
type Settings = { kills: number; controlKills: number; ratePerS: number; seed: number };

function settingsOf(args: string[]): Settings {
  const text = { type: 'string' } as const;
  const options = { quick: { type: 'boolean' }, kills: text, rate: text, seed: text } as const;
  const { values } = parseArgs({ args, options });
  const number = (name: 'kills' | 'rate' | 'seed', fallback: number) => {
    const value = Number(values[name] ?? fallback);
    if (!Number.isInteger(value) || value < 1)
      throw new UsageError(`--${name} must be a whole number above 0, got ${values[name]}`);
    return value;
  };
  return {
    kills: number('kills', values.quick ? 3 : 9),
    controlKills: values.quick ? 2 : 3,
    ratePerS: number('rate', RATE_PER_S),
    seed: number('seed', 1),
  };
}

/** Orders three times and payments twice in containers; a killed replica must cost its callers nothing. 1 when it did. */
export async function scaled(args: string[]): Promise<number> {
  const settings = settingsOf(args);
  const up = ['--scale', `orders=${ORDERS}`, '--scale', 'payments=2'];
  return onCompose({ name: 'cairn-scaled', up }, async (project) => {
    const common = { project, ratePerS: settings.ratePerS, seed: settings.seed };
    const guarded = { ...common, name: 'killed', kills: settings.kills, settleMs: 90_000 };
    const phases = [await shown(project, 'SIGKILL of one replica of three, again and again', guarded)];
    for (const [name, { without, change }] of Object.entries(EDGE_CONTROLS)) {
      await configureEdge(project, name, change);
      const control = { ...common, name, kills: settings.controlKills, settleMs: 0 };
      phases.push(await shown(project, `control without ${without}`, control));
    }
    // A kill and a return take ten seconds, of which two have to be under load.
    const leastRequests = settings.kills * settings.ratePerS * 2;
    const wrong = [
      ...violations(phases[0]!, { kills: settings.kills, leastRequests }),
      ...phases.slice(1).flatMap((phase) => controlViolations(phase)),
    ];
    tell(phases, wrong, settings);
    return wrong.length > 0 ? 1 : 0;
  });
}

/** Starts the balancer anew with another configuration laid over the one in its image. */
async function configureEdge(
  { compose, report }: Project,
  name: string,
  change: (config: string) => string,
): Promise<void> {
  const folder = join(stackDir('chaos'), 'scaled', name);
  mkdirSync(folder, { recursive: true });
  const [config, over] = [join(folder, 'haproxy.cfg'), join(folder, 'over.yml')];
  writeFileSync(config, change(readFileSync(join(repoRoot, CONFIG), 'utf8')));
  writeFileSync(over, JSON.stringify({ services: { edge: { volumes: [`${config}:${INSIDE}:ro`] } } }));
  await step(report, 'edge', `the balancer without ${EDGE_CONTROLS[name]!.without}`, () =>
    compose('--file', over, 'up', '--detach', '--wait', '--no-deps', 'edge'),
  );
}

function shown({ report }: Project, message: string, options: ScaledOptions): Promise<ScaledPhase> {
  let progress = '';
  const work = () => scaledPhase({ ...options, onProgress: (text) => (progress = text) });
  return step(report, options.name, message, work, () => `: ${progress}`);
}

function tell(phases: ScaledPhase[], wrong: string[], { seed, ratePerS }: Settings): void {
  const [killed] = phases as [ScaledPhase];
  const most = (of: (kill: ScaledPhase['kills'][number]) => number) =>
    (Math.max(...killed.kills.map(of)) / 1000).toFixed(1);
  console.log(`\n${table(rowsOf(phases))}\n`);
  console.log(
    `Killed: out of the balancer after at most ${most((one) => one.outAfterMs)} s, back after ` +
      `${most((one) => one.backAfterMs)} s. ${killed.orders.confirmed} orders confirmed, ` +
      `${killed.orders.stored} stored, ${killed.orders.paid} paid. Open loop at ${ratePerS}/s, seed ${seed}.`,
  );
  tellEnd(phases, wrong, 'no request failed while replicas were killed, and the controls did fail');
}
