import type { Executes } from '../decorators.ts';

/** Under which token a pipeline is provided. */
export const tokenOf = (name: string): string => `pipeline "${name}" of ResilienceModule`;

// Both on the classes and instances themselves: two applications in one process have nothing in common.
const WANTED = Symbol.for('cairn.resilience.nest.wanted');
const BOUND = Symbol.for('cairn.resilience.nest.bound');

type Bindable = {
  /** Names of pipelines by decorated method. */
  [WANTED]?: ReadonlyMap<string, string>;
  [BOUND]?: ReadonlyMap<string, Executes>;
};

/** Notes on a prototype or an instance that its method is to run through the pipeline of that name. */
export function note(target: Bindable, method: string, name: string): void {
  hide(target, WANTED, new Map(target[WANTED]).set(method, name));
}

/** The names that were noted, by method. */
export function wantedBy(target: Bindable): ReadonlyMap<string, string> {
  return target[WANTED] ?? new Map();
}

export function bind(instance: Bindable, pipelines: ReadonlyMap<string, Executes>): void {
  hide(instance, BOUND, pipelines);
}

/** @throws TypeError when nothing was bound */
export function pipelineOf(instance: Bindable | undefined, method: string, name: string): Executes {
  const pipeline = instance?.[BOUND]?.get(name);
  if (pipeline !== undefined) return pipeline;
  const where = `${instance?.constructor.name ?? 'its class'}.${method}`;
  throw new TypeError(
    `pipeline "${name}" is not there when ${where} is called. Is ResilienceModule.forRoot(…) imported, the ` +
      'application started, and this a provider of it that is neither request-scoped nor transient?',
  );
}

function hide(target: object, key: symbol, value: unknown): void {
  Object.defineProperty(target, key, { value, configurable: true });
}
