import { check } from './check.ts';

/** What a decorator needs of a pipeline. */
export type Executes = { execute(work: (ctx: unknown) => unknown): Promise<unknown> };

/** A decorated method answers with a promise, whatever it answered with before; so it had better say so. */
export type AsyncMethod = (...args: never[]) => Promise<unknown>;

/** Decorates a method: of a TypeScript class (`experimentalDecorators`, what Nest wants) or of a standard one. */
export interface ResilientMethod {
  <M extends AsyncMethod>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<M>): void;
  <M extends AsyncMethod>(method: M, context: ClassMethodDecoratorContext): M;
}

/**
 * `@Resilient('billing')` for methods: each call runs through the pipeline of that name.
 *
 * The method gets the call's context (`signal`, `attempt`, …) after the arguments of its caller, so one that takes the
 * context takes a fixed number of arguments before it: `async charge(order: Order, ctx?: CallContext)`. Nothing is read
 * from the caller's arguments; who has a signal or a context to pass on calls `pipeline.execute` instead.
 *
 * @param pipelines by the names they shall have in decorators
 * @throws RangeError when one of them is no pipeline; the decorator, where the class is defined, when its name is none of
 *   theirs
 */
export function decorators<P extends Readonly<Record<string, Executes>>>(
  pipelines: P,
): { Resilient: (name: keyof P & string) => ResilientMethod } {
  const known = new Map<string, Executes>(Object.entries(pipelines));
  for (const [name, pipeline] of known) {
    check(typeof pipeline?.execute === 'function', name, 'a pipeline', pipeline);
  }
  const names = [...known.keys()].map((name) => `"${name}"`).join(', ');
  return {
    Resilient(name) {
      const pipeline = known.get(name);
      check(pipeline !== undefined, 'the pipeline of @Resilient', `one of ${names}`, name);
      return methodDecorator(() => pipeline);
    },
  };
}

/** Decorates a method so that each call runs through the pipeline that `pipelineOf` answers for its `this`. */
export function methodDecorator(pipelineOf: (self: unknown) => Executes): ResilientMethod {
  return ((target: unknown, where: string | symbol | object, descriptor?: PropertyDescriptor) => {
    if (typeof where === 'object') return through(pipelineOf, target as AsyncMethod);
    descriptor!.value = through(pipelineOf, descriptor!.value);
    return undefined;
  }) as ResilientMethod;
}

function through<M extends AsyncMethod>(pipelineOf: (self: unknown) => Executes, method: M): M {
  check(typeof method === 'function', 'what @Resilient decorates', 'a method', method);
  const call = method as unknown as (...args: unknown[]) => Promise<unknown>;
  function resilient(this: unknown, ...args: unknown[]): Promise<unknown> {
    return pipelineOf(this).execute((ctx) => call.apply(this, [...args, ctx]));
  }
  // Routes, guards and pipes of Nest hang on the function that they decorated; metadata is inherited.
  Object.setPrototypeOf(resilient, method);
  Object.defineProperty(resilient, 'name', { value: method.name, configurable: true });
  Object.defineProperty(resilient, 'length', { value: method.length, configurable: true });
  return resilient as unknown as M;
}
