import type { DynamicModule, OnModuleInit } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import type { Executes } from '../decorators.ts';
import { checkNames } from '../names.ts';
import { bind, tokenOf, wantedBy } from './binding.ts';

export type ResilienceModuleOptions = {
  /** May every module inject the pipelines without importing this one? Default false. */
  isGlobal?: boolean;
};

type Named = Executes & { readonly name: string };
type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** Provides pipelines by their names, and gives them to the methods that are decorated with `@Resilient`. */
export class ResilienceModule {
  /**
   * To be imported once in an application.
   *
   * The application does not start when a method wants a pipeline that is not among them, or is one of a request-scoped or
   * transient provider, which has no instance yet that a pipeline could be given to.
   *
   * @throws RangeError when two pipelines have the same name
   */
  static forRoot(
    pipelines: readonly Named[],
    { isGlobal = false }: ResilienceModuleOptions = {},
  ): DynamicModule {
    checkNames(pipelines);
    const byName = new Map(pipelines.map((pipeline) => [pipeline.name, pipeline]));
    const provided = pipelines.map((pipeline) => ({ provide: tokenOf(pipeline.name), useValue: pipeline }));
    return {
      module: ResilienceModule,
      global: isGlobal,
      imports: [DiscoveryModule],
      providers: [
        ...provided,
        {
          provide: 'binder of ResilienceModule',
          inject: [DiscoveryService],
          // Deep and global modules start first: by the time that other hooks run, the methods are bound.
          useFactory: (discovery: DiscoveryService): OnModuleInit => ({
            onModuleInit: () => bindAll(discovery, byName),
          }),
        },
      ],
      exports: provided.map(({ provide }) => provide),
    };
  }
}

function bindAll(discovery: DiscoveryService, pipelines: ReadonlyMap<string, Executes>): void {
  for (const wrapper of [...discovery.getProviders(), ...discovery.getControllers()]) {
    const instance: unknown = wrapper.instance;
    if (typeof instance !== 'object' || instance === null) continue;
    const wanted = wantedBy(instance);
    if (wanted.size === 0) continue;
    for (const [method, name] of wanted) checkWish(wrapper, method, name, pipelines);
    bind(instance, pipelines);
  }
}

function checkWish(
  wrapper: InstanceWrapper,
  method: string,
  name: string,
  pipelines: ReadonlyMap<string, Executes>,
): void {
  const wish = `${String(wrapper.name)}.${method} wants pipeline "${name}"`;
  if (!pipelines.has(name)) {
    const known = [...pipelines.keys()].map((other) => `"${other}"`).join(', ');
    throw new RangeError(`${wish}, but ResilienceModule has only ${known || 'none'}`);
  }
  if (!wrapper.isDependencyTreeStatic() || wrapper.isTransient) {
    throw new RangeError(`${wish}, but is request-scoped or transient: inject the pipeline and call execute`);
  }
}
