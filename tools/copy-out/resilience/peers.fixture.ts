import 'reflect-metadata';
import { pipeline } from '@cairn/resilience';
import { ResilienceModule, Resilient } from '@cairn/resilience/nest';
import { observe } from '@cairn/resilience/otel';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider } from '@opentelemetry/sdk-metrics';
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import assert from 'node:assert/strict';
import { test } from 'node:test';

/** The entries that need a package of somebody else, where that is installed. */
void test('./nest binds methods to pipelines', async () => {
  const billing = pipeline('billing');
  class Charges {
    @Resilient('billing')
    async charge(order: string): Promise<string> {
      return order;
    }
  }
  class App {}
  Module({ imports: [ResilienceModule.forRoot([billing])], providers: [Charges] })(App);
  const app = await NestFactory.createApplicationContext(App, { logger: false });
  assert.equal(await app.get(Charges).charge('order-1'), 'order-1');
  assert.equal(billing.counts().calls, 1);
  await app.close();
});

void test('./otel reports what a pipeline counts', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const billing = pipeline('billing');
  const stop = observe([billing], { meter: provider.getMeter('test') });
  await billing.execute(() => 'well');
  await reader.forceFlush();
  const [scope] = exporter.getMetrics()[0]!.scopeMetrics;
  const attempts = scope!.metrics.find(({ descriptor }) => descriptor.name === 'resilience.attempts');
  assert.equal(attempts?.dataPoints[0]?.value, 1);
  stop();
  await provider.shutdown();
});
