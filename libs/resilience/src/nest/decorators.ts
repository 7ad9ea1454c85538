import { Inject } from '@nestjs/common';
import { methodDecorator, type ResilientMethod } from '../decorators.ts';
import { note, pipelineOf, tokenOf } from './binding.ts';

/** Injects the pipeline of that name. */
export function InjectPipeline(name: string): PropertyDecorator & ParameterDecorator {
  return Inject(tokenOf(name));
}

/**
 * Each call of this method of a provider or controller runs through the pipeline of that name, which
 * `ResilienceModule` looks up when the application starts. The method gets the call's context after the arguments of its
 * caller, see `decorators`.
 *
 * @throws RangeError for a static method, whose class is no provider
 */
export function Resilient(name: string): ResilientMethod {
  return ((target: object, where: string | symbol | ClassMethodDecoratorContext, descriptor?: never) => {
    const isStandard = typeof where === 'object';
    const method = String(isStandard ? where.name : where);
    if (isStandard ? where.static : typeof target === 'function') {
      throw new RangeError(`@Resilient("${name}") is for methods of providers, and ${method} is static`);
    }
    if (!isStandard) note(target, method, name);
    else
      where.addInitializer(function () {
        note(this as object, method, name);
      });
    const decorate = methodDecorator((self) => pipelineOf(self as object, method, name));
    return decorate(target as never, where as never, descriptor as never);
  }) as ResilientMethod;
}
