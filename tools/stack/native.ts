import type { Context, Missing, NativeEngine } from './engine.ts';
import { urlVariables } from './decide.ts';
import { kafka } from './engines/kafka.ts';
import { postgres } from './engines/postgres.ts';
import { redis } from './engines/redis.ts';
import { s3 } from './engines/s3.ts';
import { smtp } from './engines/smtp.ts';
import {
  fixedPorts,
  freePorts,
  isFree,
  portOwner,
  takenMessage,
  type PortName,
  type Ports,
} from './ports.ts';
import { info, step } from './progress.ts';
import { Restartable } from './restartable.ts';
import { StackError, type EngineName } from './types.ts';

const engines: Record<EngineName, NativeEngine> = { postgres, redis, kafka, s3, smtp };

export type Started = { name: EngineName; version: string; child: Restartable };

/** One message for all that is missing, with the one command that brings it. */
export function missingMessage(missing: Missing[], platform = process.platform): string {
  const wanted = missing.map(({ program, why }) => `${program} (for ${why})`).join(', ');
  const packages = (manager: 'apt' | 'brew') => [...new Set(missing.map((one) => one[manager]))].join(' ');
  const command =
    platform === 'darwin'
      ? `brew install ${packages('brew')}`
      : `sudo apt-get install -y --no-install-recommends ${packages('apt')}`;
  return `Missing: ${wanted}. Run:\n  ${command}`;
}

export function requirePrograms(names: EngineName[]): void {
  const missing = names.flatMap((name) => engines[name].missing());
  if (missing.length > 0) throw new StackError(missingMessage(missing));
}

/** The fixed ports, all of which must be free for those engines, or as many free ones, none of `except`. */
export async function choosePorts(
  kind: 'fixed' | 'free',
  names: EngineName[],
  except: number[] = [],
): Promise<Ports> {
  if (kind === 'free') {
    const keys = Object.keys(fixedPorts) as PortName[];
    const free = await freePorts(keys.length, except);
    return Object.fromEntries(keys.map((key, index) => [key, free[index]])) as Ports;
  }
  const wanted = names.flatMap((name) =>
    engines[name].ports.map((port) => ({ name, number: fixedPorts[port] })),
  );
  const taken = await Promise.all(wanted.map(async (port) => ((await isFree(port.number)) ? [] : [port])));
  const messages = taken
    .flat()
    .map(({ name, number }) => takenMessage(number, name, urlVariables[name], portOwner(number)));
  if (messages.length > 0) throw new StackError(messages.join('\n'));
  return fixedPorts;
}

/**
 * Installs and starts all of them side by side. The first that fails calls the others off, and nothing runs when this
 * rejects.
 */
export async function startNative(names: EngineName[], context: Context): Promise<Started[]> {
  const failed = new AbortController();
  const shared = { ...context, signal: AbortSignal.any([context.signal, failed.signal]) };
  let reason: unknown;
  const results = await Promise.allSettled(
    names.map((name) =>
      bringUp(engines[name], shared).catch((error: unknown) => {
        reason ??= error;
        failed.abort();
        throw error;
      }),
    ),
  );
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (started.length === names.length && !context.signal.aborted) return started;
  await Promise.all(started.map(({ child }) => child.stop()));
  throw reason instanceof Error ? reason : new StackError('The start was called off.');
}

async function bringUp(engine: NativeEngine, context: Context): Promise<Started> {
  await engine.install(context);
  const version = await engine.version();
  const child = await step(context.report, engine.name, `starting ${version}`, () => engine.start(context));
  info(context.report, engine.name, `ready, log in ${child.log}`);
  return {
    name: engine.name,
    version,
    child: new Restartable(engine.name, () => engine.start(context), child),
  };
}
