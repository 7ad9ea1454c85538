import { hostAndPort } from './decide.ts';
import { tcpAnswers } from './probes.ts';
import type { Restartable } from './restartable.ts';
import type { Engine, EngineGone } from './types.ts';

const probeEveryMs = 2000;

export type Watch = { onGone(listener: EngineGone): void; stop(): void };

/**
 * Notices the first engine that goes by itself: a native one by its exit, others when two probes in a row find nobody.
 */
export function watch(engines: Engine[], children: Map<Engine, Restartable>): Watch {
  const listeners: EngineGone[] = [];
  let gone: Parameters<EngineGone> | undefined;
  let stopped = false;
  const report = (engine: Engine, reason: string) => {
    if (stopped || gone) return;
    gone = [engine, reason];
    for (const listener of listeners) listener(engine, reason);
  };

  for (const [engine, child] of children) {
    child.onGone((how, pid) => report(engine, `its process (pid ${pid}) ended: ${how}`));
  }
  const timers = engines.filter((engine) => !children.has(engine)).map((engine) => probe(engine, report));

  return {
    onGone(listener) {
      if (gone) listener(...gone);
      else listeners.push(listener);
    },
    stop() {
      stopped = true;
      for (const timer of timers) clearInterval(timer);
    },
  };
}

function probe(engine: Engine, report: EngineGone): NodeJS.Timeout {
  const { host, port } = hostAndPort(engine.name, engine.url);
  let failures = 0;
  const timer = setInterval(async () => {
    failures = (await tcpAnswers(host, port)) ? 0 : failures + 1;
    if (failures >= 2) report(engine, `nothing answers at ${host}:${port}`);
  }, probeEveryMs);
  return timer.unref();
}
