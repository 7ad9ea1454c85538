import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { transform } from 'esbuild';
import { decorators, type Executes } from './decorators.ts';

/** A pipeline that makes every call twice, and keeps what it was asked. */
function twice() {
  const pipeline = {
    calls: 0,
    async execute<T>(work: (ctx: unknown) => T | PromiseLike<T>): Promise<T> {
      pipeline.calls++;
      await work({ attempt: 1 });
      return work({ attempt: 2 });
    },
  };
  return pipeline;
}

type Ctx = { attempt: number };

/** What both kinds of decorated class are asked. */
type Billing = {
  charge(order: string, cents: number): Promise<string>;
  last: string;
};
type BillingClass = { new (currency: string): Billing; ping(): Promise<string>; prototype: Billing };

type Resilient = ReturnType<typeof decorators<{ billing: Executes }>>['Resilient'];

function legacy(Resilient: Resilient): BillingClass {
  class Billing {
    readonly #currency: string;
    last = '';
    constructor(currency: string) {
      this.#currency = currency;
    }

    @Resilient('billing')
    async charge(order: string, cents: number, ctx?: Ctx): Promise<string> {
      return (this.last = `${order}: ${cents} ${this.#currency}, attempt ${ctx?.attempt}`);
    }

    @Resilient('billing')
    static async ping(ctx?: Ctx): Promise<string> {
      return `${this.name}, attempt ${ctx?.attempt}`;
    }
  }
  return Billing;
}

/** The same class, compiled the way of the ECMAScript proposal. */
async function standard(Resilient: Resilient): Promise<BillingClass> {
  const { code } = await transform(
    `export const make = (Resilient) => {
      class Billing {
        #currency: string;
        last = '';
        constructor(currency: string) { this.#currency = currency; }
        @Resilient('billing') async charge(order: string, cents: number, ctx?: { attempt: number }) {
          return (this.last = \`\${order}: \${cents} \${this.#currency}, attempt \${ctx?.attempt}\`);
        }
        @Resilient('billing') static async ping(ctx?: { attempt: number }) {
          return \`\${this.name}, attempt \${ctx?.attempt}\`;
        }
      }
      return Billing;
    };`,
    {
      loader: 'ts',
      format: 'esm',
      target: 'es2022',
      tsconfigRaw: { compilerOptions: { experimentalDecorators: false } },
    },
  );
  const { make } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  return make(Resilient) as BillingClass;
}

describe.each([
  ['of TypeScript', legacy],
  ['of ECMAScript', standard],
])('decorators %s', (_, classWith) => {
  it('run the method through the pipeline, with its this, its arguments and the context after them', async () => {
    const billing = twice();
    const Billing = await classWith(decorators({ billing }).Resilient);
    const [euro, yen] = [new Billing('EUR'), new Billing('JPY')];
    expect(await euro.charge('order-1', 250)).toBe('order-1: 250 EUR, attempt 2');
    expect(await yen.charge('order-2', 9)).toBe('order-2: 9 JPY, attempt 2');
    expect(euro.last).toBe('order-1: 250 EUR, attempt 2');
    expect(billing.calls).toBe(2);
  });

  it('work on static methods', async () => {
    const Billing = await classWith(decorators({ billing: twice() }).Resilient);
    expect(await Billing.ping()).toBe('Billing, attempt 2');
  });

  it('keep the name and the length of the method', async () => {
    const Billing = await classWith(decorators({ billing: twice() }).Resilient);
    expect(Billing.prototype.charge.name).toBe('charge');
    expect(Billing.prototype.charge).toHaveLength(3);
  });

  it('keep the failure of the method as it is', async () => {
    const failing: Executes = { execute: () => Promise.reject(new Error('as it is')) };
    const Billing = await classWith(decorators({ billing: failing }).Resilient);
    await expect(new Billing('EUR').charge('order-1', 1)).rejects.toThrow('as it is');
  });
});

describe('decorators', () => {
  it('refuse an unknown pipeline where the class is defined, and name those there are', () => {
    const { Resilient } = decorators({ billing: twice(), mail: twice() });
    const define = () => {
      class Sms {
        // @ts-expect-error The compiler knows the names, too.
        @Resilient('sms')
        async send(): Promise<void> {}
      }
      return Sms;
    };
    expect(define).toThrow(
      new RangeError('the pipeline of @Resilient must be one of "billing", "mail", got "sms"'),
    );
    // @ts-expect-error Neither is what every object has.
    expect(() => Resilient('toString')).toThrow(RangeError);
  });

  it('refuse what is no pipeline', () => {
    for (const [wrong, shown] of [
      [{}, 'an object'],
      [undefined, 'undefined'],
    ]) {
      expect(() => decorators({ billing: wrong as Executes })).toThrow(
        new RangeError(`billing must be a pipeline, got ${shown}`),
      );
    }
  });

  it('refuse what is no method', () => {
    const { Resilient } = decorators({ billing: twice() });
    const define = () => {
      class Billing {
        // @ts-expect-error The compiler sees it, too.
        @Resilient('billing')
        get total(): number {
          return 1;
        }
      }
      return Billing;
    };
    expect(define).toThrow(new RangeError('what @Resilient decorates must be a method, got undefined'));
  });

  it('leave what other decorators have noted on the method: routes of Nest, for one', () => {
    const { Resilient } = decorators({ billing: twice() });
    const Route = (path: string) => (_: object, __: string, descriptor: PropertyDescriptor) =>
      Reflect.defineMetadata('path', path, descriptor.value);
    class Controller {
      @Resilient('billing')
      @Route('/below')
      async below(): Promise<void> {}

      @Route('/above')
      @Resilient('billing')
      async above(): Promise<void> {}
    }
    expect(Reflect.getMetadata('path', Controller.prototype.below)).toBe('/below');
    expect(Reflect.getMetadata('path', Controller.prototype.above)).toBe('/above');
  });
});
