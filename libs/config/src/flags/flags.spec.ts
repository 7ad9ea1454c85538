import { afterEach, describe, expect, it } from '@jest/globals';
import { OpenFeature, type EvaluationContext, type EvaluationDetails } from '@openfeature/server-sdk';
import { z } from 'zod';
import { parseConfig } from '../index.ts';
import { feature } from '../feature.ts';
import { EnvironmentProvider, featuresOf, flagsReport } from './index.ts';

/** Real: OpenFeature's server SDK. All flags are asked for through its client, as an app does it. */
const schema = z.object({
  FEATURE_HTML_MAIL: feature('whether mails have a page', true),
  FEATURE_THEME: feature('colours of the shop', 'plain'),
  FEATURE_PAGE_SIZE: feature('orders on a page', 20),
  FEATURE_COUNTRIES: feature('where we deliver to', ['DE']),
  FEATURE_LIMITS: feature('what fits into a cart', { items: { books: 10 } }),
});

const underTest = (env: Record<string, string> = {}) => {
  const provider = new EnvironmentProvider(featuresOf(schema, parseConfig(schema, env)));
  OpenFeature.setProvider('spec', provider);
  return { provider, client: OpenFeature.getClient('spec') };
};
const told = ({ flagKey: _, flagMetadata: __, ...details }: EvaluationDetails<never>) => details;

afterEach(() => OpenFeature.clearProviders());

describe('a flag', () => {
  it('is the default of its schema, which is the reason', async () => {
    const { client } = underTest();
    expect(told((await client.getBooleanDetails('html-mail', false)) as never)).toEqual({
      value: true,
      variant: 'on',
      reason: 'DEFAULT',
    });
    expect(told((await client.getStringDetails('theme', 'x')) as never)).toEqual({
      value: 'plain',
      variant: 'plain',
      reason: 'DEFAULT',
    });
    expect(told((await client.getObjectDetails('limits', {})) as never)).toEqual({
      value: { items: { books: 10 } },
      variant: 'default',
      reason: 'DEFAULT',
    });
  });

  it('is what its variable says, of every type', async () => {
    const { client } = underTest({
      FEATURE_HTML_MAIL: 'false',
      FEATURE_THEME: 'dark',
      FEATURE_PAGE_SIZE: '50',
      FEATURE_COUNTRIES: '["AT"]',
      FEATURE_LIMITS: '{"items":{"books":3}}',
    });
    const details = [
      await client.getBooleanDetails('html-mail', true),
      await client.getStringDetails('theme', ''),
      await client.getNumberDetails('page-size', 0),
      await client.getObjectDetails('countries', []),
      await client.getObjectDetails('limits', {}),
    ];
    expect(details.map((each) => told(each as never))).toEqual([
      { value: false, variant: 'off', reason: 'STATIC' },
      { value: 'dark', variant: 'dark', reason: 'STATIC' },
      { value: 50, variant: '50', reason: 'STATIC' },
      { value: ['AT'], variant: 'environment', reason: 'STATIC' },
      { value: { items: { books: 3 } }, variant: 'environment', reason: 'STATIC' },
    ]);
  });

  it.each([
    ['FLAG_NOT_FOUND', 'html-mial', {}, 'there is no flag "html-mial"'],
    ['TYPE_MISMATCH', 'theme', {}, 'flag "theme" is a text, and was asked for as a boolean'],
    [
      'TARGETING_KEY_MISSING',
      'html-mail',
      {},
      'flag "html-mail" is on for 25%, which needs a targetingKey to tell who that is',
    ],
    ['TARGETING_KEY_MISSING', 'html-mail', { targetingKey: '' }, 'flag "html-mail" is on for 25%'],
    ['FLAG_NOT_FOUND', '__proto__', {}, 'there is no flag'],
  ])(
    "is the caller's own default when it cannot be told: %s of %s",
    async (errorCode, flag, context, why) => {
      const { client } = underTest({ FEATURE_HTML_MAIL: '25%' });
      for (const mine of [true, false])
        expect(await client.getBooleanDetails(flag, mine, context)).toMatchObject({
          value: mine,
          reason: 'ERROR',
          errorCode,
          errorMessage: expect.stringContaining(why),
        });
    },
  );

  it.each([
    ['html-mail', 'String'],
    ['html-mail', 'Number'],
    ['html-mail', 'Object'],
    ['theme', 'Number'],
    ['page-size', 'Boolean'],
    ['page-size', 'String'],
    ['countries', 'String'],
    ['limits', 'Boolean'],
  ] as const)('%s is not to be had as a %s', async (flag, type) => {
    const { client } = underTest();
    const ask = client[`get${type}Details`].bind(client) as typeof client.getStringDetails;
    expect(await ask(flag, 'mine')).toMatchObject({
      value: 'mine',
      errorCode: 'TYPE_MISMATCH',
    });
  });

  it('that is a structure can be changed by nobody', async () => {
    const { client } = underTest();
    const limits = (await client.getObjectValue('limits', {})) as { items: { books: number } };
    expect(() => (limits.items.books = 99)).toThrow(TypeError);
    expect(parseConfig(schema, {}).FEATURE_LIMITS).toEqual({ items: { books: 10 } });
    expect(() => (parseConfig(schema, {}).FEATURE_LIMITS.items.books = 10)).not.toThrow();
  });
});

describe('a percentage', () => {
  const asked = async (percentage: string, context: EvaluationContext = {}) => {
    const { client } = underTest({ FEATURE_HTML_MAIL: percentage });
    return told((await client.getBooleanDetails('html-mail', false, context)) as never);
  };

  it('decides by the targeting key, and says that it did', async () => {
    // Their places are pinned in rollout.spec.ts.
    expect(await asked('50%', { targetingKey: 'ada' })).toEqual({
      value: true,
      variant: 'on',
      reason: 'SPLIT',
    });
    expect(await asked('50%', { targetingKey: 'eve' })).toEqual({
      value: false,
      variant: 'off',
      reason: 'SPLIT',
    });
  });

  it('of all or of none needs no key, so that what is off is off for everybody', async () => {
    expect(await asked('0%', {})).toEqual({ value: false, variant: 'off', reason: 'STATIC' });
    expect(await asked('100%', {})).toEqual({ value: true, variant: 'on', reason: 'STATIC' });
  });
});

describe('flagsReport', () => {
  it('says what is in force and how it was answered, and names no one', async () => {
    const { client, provider } = underTest({ FEATURE_HTML_MAIL: '50%' });
    for (const targetingKey of ['ada', 'ada', 'eve', ''])
      await client.getBooleanValue('html-mail', true, { targetingKey });
    await client.getStringValue('theme', '');
    await client.getNumberValue('theme', 0);
    await client.getBooleanValue('gone', true);
    const report = flagsReport(provider);
    expect(report.flags.slice(0, 3)).toEqual([
      {
        name: 'html-mail',
        variable: 'FEATURE_HTML_MAIL',
        meaning: 'whether mails have a page',
        value: '50%',
        isDefault: false,
        evaluations: [
          { reason: 'SPLIT', variant: 'on', count: 2 },
          { reason: 'SPLIT', variant: 'off', count: 1 },
          { reason: 'ERROR', errorCode: 'TARGETING_KEY_MISSING', count: 1 },
        ],
      },
      {
        name: 'theme',
        variable: 'FEATURE_THEME',
        meaning: 'colours of the shop',
        value: 'plain',
        isDefault: true,
        evaluations: [
          { reason: 'DEFAULT', variant: 'plain', count: 1 },
          { reason: 'ERROR', errorCode: 'TYPE_MISMATCH', count: 1 },
        ],
      },
      expect.objectContaining({ name: 'page-size', value: 20, evaluations: [] }),
    ]);
    expect(report.unknown).toEqual([
      { name: 'gone', evaluations: [{ reason: 'ERROR', errorCode: 'FLAG_NOT_FOUND', count: 1 }] },
    ]);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(JSON.stringify(report)).not.toMatch(/ada|eve/);
  });

  it('does not grow without end when names of flags are made up', async () => {
    const { client, provider } = underTest();
    for (let i = 0; i < 150; i++) await client.getBooleanValue(`flag-${i}`, true);
    expect(flagsReport(provider).unknown).toHaveLength(100);
    await client.getBooleanValue('html-mail', true);
    expect(provider.evaluationsOf('html-mail')).toEqual([{ reason: 'DEFAULT', variant: 'on', count: 1 }]);
  });
});
