import 'reflect-metadata';
import { feature, integer, parseConfig } from '@cairn/config';
import { EnvironmentProvider, featuresOf, flagsReport, TestProvider } from '@cairn/config/flags';
import { CONFIG, ConfigModule } from '@cairn/config/nest';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { OpenFeature } from '@openfeature/server-sdk';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';

/** The entries that go with a package of somebody else, where that is installed. */
const schema = z.object({
  POOL_MAX: integer('connections', { min: 1, default: 10 }),
  FEATURE_HTML_MAIL: feature('whether mails have a page', '50%'),
});

void test('./nest provides the configuration', async () => {
  class App {}
  Module({ imports: [ConfigModule.from(schema, parseConfig(schema, { POOL_MAX: '3' }))] })(App);
  const app = await NestFactory.createApplicationContext(App, { logger: false });
  assert.equal(app.get<z.infer<typeof schema>>(CONFIG).POOL_MAX, 3);
  await app.close();
});

void test('./flags answers OpenFeature', async () => {
  const provider = new EnvironmentProvider(featuresOf(schema, parseConfig(schema, {})));
  await OpenFeature.setProviderAndWait('shop', provider);
  const details = (targetingKey: string) =>
    OpenFeature.getClient('shop').getBooleanDetails('html-mail', false, { targetingKey });
  assert.deepEqual([(await details('ada')).variant, (await details('eve')).variant], ['on', 'off']);
  assert.equal((await details('ada')).reason, 'SPLIT');
  assert.equal(flagsReport(provider).flags[0]?.evaluations[0]?.count, 2);

  const flags = new TestProvider(featuresOf(schema, parseConfig(schema, {})));
  flags.set('html-mail', true);
  assert.equal(await flags.client.getBooleanValue('html-mail', false), true);
  await OpenFeature.close();
});
