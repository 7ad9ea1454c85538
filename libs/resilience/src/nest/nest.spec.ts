import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Injectable, Module, Scope, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { transform } from 'esbuild';
import { pipeline, type CallContext, type Pipeline } from '../index.ts';
import { VirtualClock } from '../testing/index.ts';
import { InjectPipeline, ResilienceModule, Resilient } from './index.ts';

// Real: Nest's container, and Fastify where there is a route. The clock is virtual.
const billingOf = (clock = new VirtualClock()) =>
  pipeline({ name: 'billing', clock }).retry({ attempts: 2, idempotent: true }).timeout('1s');

function appOf(pipelines: Pipeline[], parts: { providers?: Type[]; imports?: Type[] }) {
  class App {}
  const { providers = [], imports = [] } = parts;
  Module({ imports: [ResilienceModule.forRoot(pipelines), ...imports], providers })(App);
  return NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
}

/** What both kinds of decorated class answer. */
type Charges = { charge(order: string, ctx?: CallContext): Promise<string> };

@Injectable()
class Legacy implements Charges {
  readonly #currency = 'EUR';

  @Resilient('billing')
  async charge(order: string, ctx?: CallContext): Promise<string> {
    if (ctx?.attempt === 1) throw new Error('503');
    return `${order} in ${this.#currency}, attempt ${ctx?.attempt}`;
  }
}

/** The same class, compiled the way of the ECMAScript proposal. */
async function standard(): Promise<Type<Charges>> {
  const { code } = await transform(
    `export const make = (Resilient) => class Standard {
      #currency = 'EUR';
      @Resilient('billing') async charge(order: string, ctx?: { attempt: number }) {
        if (ctx?.attempt === 1) throw new Error('503');
        return \`\${order} in \${this.#currency}, attempt \${ctx?.attempt}\`;
      }
    };`,
    {
      loader: 'ts',
      format: 'esm',
      target: 'es2022',
      tsconfigRaw: { compilerOptions: { experimentalDecorators: false } },
    },
  );
  const { make } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  return make(Resilient) as Type<Charges>;
}

describe.each([
  ['of TypeScript', () => Legacy],
  ['of ECMAScript', standard],
])('@Resilient %s', (_, kind) => {
  it('runs the method through the pipeline of that name', async () => {
    const clock = new VirtualClock();
    const billing = billingOf(clock);
    const Charging = await kind();
    const app = await appOf([billing, pipeline('mail')], { providers: [Charging] });
    const charged = app.get<Charges>(Charging).charge('order-1');
    await clock.advance(1_000);
    expect(await charged).toBe('order-1 in EUR, attempt 2');
    expect(billing.counts()).toMatchObject({ calls: 1, attempts: 2, retries: 1 });
    await app.close();
  });

  it('keeps the application from starting when there is no such pipeline, and names those there are', async () => {
    const Charging = await kind();
    await expect(appOf([pipeline('mail'), pipeline('files')], { providers: [Charging] })).rejects.toThrow(
      new RangeError(
        `${Charging.name}.charge wants pipeline "billing", but ResilienceModule has only "mail", "files"`,
      ),
    );
    await expect(appOf([], { providers: [Charging] })).rejects.toThrow('has only none');
  });

  it('says what is missing when there is no module', async () => {
    const Charging = await kind();
    class App {}
    Module({ providers: [Charging] })(App);
    const app = await NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
    expect(() => app.get<Charges>(Charging).charge('order-1')).toThrow(
      /^pipeline "billing" is not there when \w+\.charge is called\. Is ResilienceModule\.forRoot\(…\) imported/,
    );
    await app.close();
  });
});

describe('ResilienceModule', () => {
  it('shares nothing between two applications with one class', async () => {
    const clocks = [new VirtualClock(), new VirtualClock()];
    const [one, two] = clocks.map(billingOf) as [Pipeline, Pipeline];
    const apps = await Promise.all([one, two].map((billing) => appOf([billing], { providers: [Legacy] })));
    const charged = apps[1]!.get(Legacy).charge('order-1');
    await clocks[1]!.advance(1_000);
    await charged;
    expect([one.counts().calls, two.counts().calls]).toEqual([0, 1]);
    await Promise.all(apps.map((app) => app.close()));
  });

  it('has bound the methods before other start hooks call them', async () => {
    class Warm {
      answer: string | undefined;
      @Resilient('billing')
      async load(): Promise<string> {
        return 'loaded';
      }
      async onModuleInit(): Promise<void> {
        this.answer = await this.load();
      }
    }
    const app = await appOf([billingOf()], { providers: [Warm] });
    expect(app.get(Warm).answer).toBe('loaded');
    await app.close();
  });

  it('injects pipelines, into all modules when it is global', async () => {
    const billing = billingOf();
    @Injectable()
    class Mailer {
      constructor(@InjectPipeline('billing') readonly billing: Pipeline) {}
    }
    class Inner {}
    Module({ providers: [Mailer], exports: [Mailer] })(Inner);
    class App {}
    Module({ imports: [ResilienceModule.forRoot([billing], { isGlobal: true }), Inner] })(App);
    const app = await NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
    expect(app.get(Mailer).billing).toBe(billing);
    await app.close();
    // Not global, not imported: Nest says which one is missing.
    await expect(appOf([billing], { imports: [Inner] })).rejects.toThrow(
      'pipeline "billing" of ResilienceModule',
    );
  });

  it('takes methods that a class inherits', async () => {
    class Child extends Legacy {
      @Resilient('mail')
      async send(ctx?: CallContext): Promise<number | undefined> {
        return ctx?.attempt;
      }
    }
    const app = await appOf([billingOf(), pipeline('mail')], { providers: [Child] });
    expect(await app.get(Child).send()).toBe(1);
    await app.close();
    await expect(appOf([pipeline('mail')], { providers: [Child] })).rejects.toThrow('Child.charge wants');
    // What the child wants is not wanted of its parent.
    await (await appOf([billingOf()], { providers: [Legacy] })).close();
  });

  it('refuses providers that have no instance at the start', async () => {
    for (const scope of [Scope.REQUEST, Scope.TRANSIENT]) {
      @Injectable({ scope })
      class PerRequest {
        @Resilient('billing')
        async charge(): Promise<void> {}
      }
      await expect(appOf([billingOf()], { providers: [PerRequest] })).rejects.toThrow(
        'PerRequest.charge wants pipeline "billing", but is request-scoped or transient',
      );
    }
  });

  it('refuses static methods and two pipelines of one name', () => {
    const define = () => {
      class Tools {
        @Resilient('billing')
        static async charge(): Promise<void> {}
      }
      return Tools;
    };
    expect(define).toThrow(
      new RangeError('@Resilient("billing") is for methods of providers, and charge is static'),
    );
    expect(() => ResilienceModule.forRoot([billingOf(), billingOf()])).toThrow(
      new RangeError('pipelines must have different names, got "billing" twice'),
    );
  });

  it('leaves the routes of a controller as they are', async () => {
    @Controller('charges')
    class Charges {
      constructor(@Inject('currency') readonly currency: string) {}
      @Get()
      @Resilient('billing')
      async list(ctx?: CallContext): Promise<{ currency: string; attempt: number | undefined }> {
        return { currency: this.currency, attempt: ctx?.attempt };
      }
    }
    class App {}
    const providers = [{ provide: 'currency', useValue: 'EUR' }];
    Module({ imports: [ResilienceModule.forRoot([billingOf()])], providers, controllers: [Charges] })(App);
    const app = await NestFactory.create<NestFastifyApplication>(App, new FastifyAdapter(), {
      logger: false,
    });
    await app.init();
    const { statusCode, payload } = await app.inject('/charges');
    expect([statusCode, JSON.parse(payload)]).toEqual([200, { currency: 'EUR', attempt: 1 }]);
    await app.close();
  });
});
