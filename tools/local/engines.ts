import { printer } from '../stack/progress.ts';
import { urlVariables } from '../stack/decide.ts';
import { startStack, StackError } from '../stack/stack.ts';
import type { KafkaListener, Report, Stack } from '../stack/types.ts';

export type Engines = { stack: Stack; report: Report; signal: AbortSignal };

/**
 * Engines of its own on free ports and nothing else, for as long as `play` runs; `name` is that of the stack. They are
 * stopped afterwards, also after Ctrl-C: `signal` tells `play` of it. `before` is what has to be done before they start, and
 * answers what further doors Kafka is to have.
 */
export async function onEngines<T>(
  name: string,
  play: (engines: Engines) => Promise<T>,
  before: (report: Report) => Promise<KafkaListener[]> = () => Promise.resolve([]),
): Promise<T> {
  const report = printer();
  const leaving = new AbortController();
  const leave = (why: string) => leaving.abort(new StackError(`ended by ${why}`));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, leave);
  process.on('disconnect', () => leave('the end of npm'));
  const kafkaListeners = await before(report);
  const { signal } = leaving;
  const attached = new Set(Object.values(urlVariables));
  // They are broken on purpose: never those that somebody's environment names.
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !attached.has(key)));
  const stack = await startStack({ name, ports: 'free', fresh: true, report, signal, env, kafkaListeners });
  stack.onEngineGone((engine, reason) => leave(`the end of ${engine.name} (${reason})`));
  try {
    return await play({ stack, report, signal });
  } catch (error) {
    // Whoever was called off says by whom, and not that a timer was aborted.
    signal.throwIfAborted();
    throw error;
  } finally {
    await stack.stop();
  }
}
