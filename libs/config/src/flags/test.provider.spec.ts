import { afterEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { parseConfig } from '../index.ts';
import { feature } from '../feature.ts';
import { featuresOf, flagsReport, TestProvider } from './index.ts';

const schema = z.object({
  FEATURE_HTML_MAIL: feature('whether mails have a page', true),
  FEATURE_THEME: feature('colours of the shop', 'plain'),
});
const aProvider = () => new TestProvider(featuresOf(schema, parseConfig(schema, {})));
const isOn = (flags: TestProvider, targetingKey = 'ada') =>
  flags.client.getBooleanValue('html-mail', false, { targetingKey });

describe('TestProvider', () => {
  const flags = aProvider();
  afterEach(() => flags.restore());

  it('has the defaults of the schema until a test sets something', async () => {
    expect(await isOn(flags)).toBe(true);
    flags.set('html-mail', false);
    expect(await isOn(flags)).toBe(false);
    expect(await flags.client.getStringValue('theme', 'x')).toBe('plain');
  });

  it('has them again in the next test', async () => {
    expect(await isOn(flags)).toBe(true);
  });

  it('puts one flag back to what it was before', async () => {
    flags.set('theme', 'dark');
    const bright = flags.set('theme', '25%');
    expect(await flags.client.getStringValue('theme', 'x')).toBe('25%');
    bright();
    expect(await flags.client.getStringValue('theme', 'x')).toBe('dark');
  });

  it('takes percentages, which go by the targeting key', async () => {
    flags.set('html-mail', '50%');
    expect([await isOn(flags, 'ada'), await isOn(flags, 'eve')]).toEqual([true, false]);
  });

  it('is alone with its client: what another one sets is not seen', async () => {
    const other = aProvider();
    other.set('html-mail', false);
    expect([await isOn(flags), await isOn(other)]).toEqual([true, false]);
  });

  it('says what is set, and how it was asked for', async () => {
    flags.set('html-mail', false);
    await isOn(flags);
    expect(flagsReport(flags).flags[0]).toMatchObject({
      value: false,
      isDefault: false,
      evaluations: expect.arrayContaining([{ reason: 'STATIC', variant: 'off', count: expect.any(Number) }]),
    });
  });

  it('refuses what no environment could have set', () => {
    expect(() => flags.set('html-mial', true)).toThrow(
      'there is no flag "html-mial"; there are html-mail, theme',
    );
    expect(() => flags.set('html-mail', 'yes')).toThrow(
      'FEATURE_HTML_MAIL must be true, false or a percentage from 0% to 100%, got yes',
    );
    expect(() => flags.set('html-mail', '101%')).toThrow('got 101%');
    expect(() => flags.set('theme', 5)).not.toThrow();
  });
});
