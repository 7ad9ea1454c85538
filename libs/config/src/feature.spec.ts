import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { parseConfig, variablesOf, type ConfigError } from './index.ts';
import { feature, featuresOf, type FlagValue } from './feature.ts';

const schema = z.object({
  PORT: z.string().optional(),
  FEATURE_HTML_MAIL: feature('whether mails have a page', '25%'),
  FEATURE_NEW_CART: feature('the new cart', false),
  FEATURE_THEME: feature('colours of the shop', 'plain'),
  FEATURE_PAGE_SIZE: feature('orders on a page', 20),
  FEATURE_COUNTRIES: feature('where we deliver to', ['DE']),
  FEATURE_LIMITS: feature(
    'what fits into a cart',
    { items: 10 },
    { shape: z.strictObject({ items: z.int() }) },
  ),
});
const valuesOf = (env: Record<string, string>) => parseConfig(schema, env) as Record<string, unknown>;
const problemOf = (env: Record<string, string>) => {
  try {
    return valuesOf(env);
  } catch (error) {
    return (error as ConfigError).problems;
  }
};

describe('a feature', () => {
  it.each<[string, string, FlagValue]>([
    ['FEATURE_NEW_CART', 'true', true],
    ['FEATURE_NEW_CART', 'false', false],
    ['FEATURE_NEW_CART', '0%', '0%'],
    ['FEATURE_NEW_CART', '12.5%', '12.5%'],
    ['FEATURE_NEW_CART', '12.50%', '12.5%'],
    ['FEATURE_NEW_CART', '0.0001%', '0.0001%'],
    ['FEATURE_NEW_CART', '100%', '100%'],
    ['FEATURE_THEME', 'dark', 'dark'],
    ['FEATURE_THEME', '"dark"', 'dark'],
    ['FEATURE_THEME', '25%', '25%'],
    ['FEATURE_THEME', 'true', 'true'],
    ['FEATURE_THEME', '""', ''],
    ['FEATURE_PAGE_SIZE', '-0.5', -0.5],
    ['FEATURE_COUNTRIES', '["DE", "AT"]', ['DE', 'AT']],
    ['FEATURE_COUNTRIES', '[]', []],
    ['FEATURE_LIMITS', '{"items": 3}', { items: 3 }],
  ])('%s=%s is understood', (variable, text, value) => {
    expect(valuesOf({ [variable]: text })).toMatchObject({ [variable]: value });
  });

  it.each([
    ['FEATURE_NEW_CART', 'TRUE', 'true, false or a percentage from 0% to 100%'],
    ['FEATURE_NEW_CART', 'yes', 'true, false or a percentage from 0% to 100%'],
    ['FEATURE_NEW_CART', '1', 'true, false or a percentage from 0% to 100%'],
    ['FEATURE_NEW_CART', ' true', 'true, false or a percentage from 0% to 100%'],
    ['FEATURE_NEW_CART', '"true"', 'true, false or a percentage from 0% to 100%'],
    ['FEATURE_NEW_CART', '250%', 'true, false or a percentage from 0% to 100%'],
    ['FEATURE_NEW_CART', '100.0001%', 'true, false or a percentage from 0% to 100%'],
    ['FEATURE_NEW_CART', '-1%', 'true, false or a percentage from 0% to 100%'],
    ['FEATURE_NEW_CART', '25 %', 'true, false or a percentage from 0% to 100%'],
    ['FEATURE_NEW_CART', '025%', 'true, false or a percentage from 0% to 100%'],
    ['FEATURE_NEW_CART', '1e1%', 'true, false or a percentage from 0% to 100%'],
    ['FEATURE_HTML_MAIL', '0.25', 'true, false or a percentage from 0% to 100%'],
    ['FEATURE_THEME', '"dark', 'a text, as it stands or in double quotes'],
    ['FEATURE_PAGE_SIZE', '25%', 'a number, such as 12 or 0.5'],
    ['FEATURE_PAGE_SIZE', 'many', 'a number, such as 12 or 0.5'],
    ['FEATURE_PAGE_SIZE', '"12"', 'a number, such as 12 or 0.5'],
    ['FEATURE_PAGE_SIZE', '012', 'a number, such as 12 or 0.5'],
    ['FEATURE_PAGE_SIZE', ' 12', 'a number, such as 12 or 0.5'],
    ['FEATURE_PAGE_SIZE', '1e999', 'a number, such as 12 or 0.5'],
    ['FEATURE_COUNTRIES', 'DE,AT', 'a list in JSON, such as ["a","b"]'],
    ['FEATURE_COUNTRIES', '{"items":1}', 'a list in JSON, such as ["a","b"]'],
    ['FEATURE_LIMITS', '{"items":1', 'an object in JSON, such as {"a":1}'],
    ['FEATURE_LIMITS', '[]', 'an object in JSON, such as {"a":1}'],
    ['FEATURE_LIMITS', 'null', 'an object in JSON, such as {"a":1}'],
    ['FEATURE_LIMITS', '{"itms":1}', 'an object in JSON, such as {"a":1}'],
  ])('%s=%s is a problem like that of any other variable', (variable, text, expected) => {
    expect(problemOf({ [variable]: text })).toMatchObject([{ variable, problem: `expected ${expected}` }]);
  });

  it('is what the schema says when it is not set, or empty', () => {
    const standard = {
      FEATURE_HTML_MAIL: '25%',
      FEATURE_NEW_CART: false,
      FEATURE_THEME: 'plain',
      FEATURE_PAGE_SIZE: 20,
      FEATURE_COUNTRIES: ['DE'],
      FEATURE_LIMITS: { items: 10 },
    };
    expect(valuesOf({})).toMatchObject(standard);
    expect(valuesOf({ FEATURE_HTML_MAIL: '' })).toMatchObject(standard);
  });

  it('is documented like any other variable', () => {
    expect(variablesOf(schema)).toContainEqual(
      expect.objectContaining({
        name: 'FEATURE_HTML_MAIL',
        meaning: 'whether mails have a page',
        default: '25%',
      }),
    );
  });

  it('has the type that its default stands for', () => {
    const config = parseConfig(schema, {});
    const mail: boolean | `${number}%` = config.FEATURE_HTML_MAIL;
    const theme: string = config.FEATURE_THEME;
    const limits: { items: number } = config.FEATURE_LIMITS;
    expect([mail, theme, limits.items]).toEqual(['25%', 'plain', 10]);
  });

  it('may not have a default that it could not be set to', () => {
    expect(() => feature('x', '250%')).toThrow(
      'the default of a feature must be true, false or a percentage from 0% to 100%, got 250%',
    );
    expect(() => feature('x', NaN)).toThrow('must be a number, such as 12 or 0.5, got NaN');
    expect(() => feature('x', null as never)).toThrow('got null');
    expect(() => feature('x', { a: 1 }, { shape: z.strictObject({ b: z.int() }) as never })).toThrow(
      '{"a":1}',
    );
  });
});

describe('a bad value of a feature', () => {
  it.each([
    ['FEATURE_NEW_CART', 'TRUE', 'write true'],
    ['FEATURE_NEW_CART', ' false', 'write false'],
    ['FEATURE_NEW_CART', '1', 'write true'],
    ['FEATURE_NEW_CART', 'off', 'write false'],
    ['FEATURE_NEW_CART', '25', 'write 25%'],
    ['FEATURE_NEW_CART', '0.25', 'write 25%'],
    ['FEATURE_NEW_CART', '25 %', 'write 25%'],
    ['FEATURE_THEME', '"dark', 'write valid JSON'],
    ['FEATURE_LIMITS', '{"items":1', 'write valid JSON'],
    ['FEATURE_LIMITS', '{"itms":1}', 'write it like {"items":10}'],
  ])('is told with how to fix it: %s=%s', (variable, text, fix) => {
    expect(problemOf({ [variable]: text })).toMatchObject([{ variable, fix: expect.stringContaining(fix) }]);
  });
});

describe('featuresOf', () => {
  it('calls flags by their variables, and says what is as the schema has it', () => {
    const features = featuresOf(schema, valuesOf({ FEATURE_NEW_CART: '50%' }));
    expect(Object.keys(features)).toEqual([
      'html-mail',
      'new-cart',
      'theme',
      'page-size',
      'countries',
      'limits',
    ]);
    expect(features['html-mail']).toEqual({
      meaning: 'whether mails have a page',
      kind: 'switch',
      value: '25%',
      variable: 'FEATURE_HTML_MAIL',
      isDefault: true,
    });
    expect(features['new-cart']).toMatchObject({ value: '50%', isDefault: false });
    expect(features['countries']).toMatchObject({ isDefault: true });
  });

  it.each(['HTML_MAIL', 'FEATURE_', 'FEATURE_html', 'FEATURE__X', 'FEATURE_X_'])(
    'refuses a feature that is called %s',
    (variable) => {
      const odd = z.object({ [variable]: feature('x', true) });
      expect(() => featuresOf(odd, { [variable]: true })).toThrow(
        `the variable of a feature must be called FEATURE_…, got ${variable}`,
      );
    },
  );
});
