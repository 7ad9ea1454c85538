import { describe, expect, it } from '@jest/globals';
import { settingsOf } from './settings.ts';

describe('settings', () => {
  it('are these where nothing is set', () => {
    expect(settingsOf({})).toEqual({ disabled: false, share: 1 });
  });

  it('come from the environment', () => {
    const env = {
      OTEL_SDK_DISABLED: 'True',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
      DEPLOYMENT_ENVIRONMENT: 'test',
    };
    expect(settingsOf(env)).toEqual({
      disabled: true,
      endpoint: 'http://collector:4318',
      share: 0.25,
      environment: 'test',
    });
  });

  it.each([
    ['OTEL_SDK_DISABLED', '1'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'grpc://collector'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', ''],
    ['OTEL_TRACES_SAMPLER_ARG', '7'],
    ['OTEL_TRACES_SAMPLER_ARG', '-1'],
    ['OTEL_TRACES_SAMPLER_ARG', 'all'],
    ['OTEL_TRACES_SAMPLER_ARG', ' '],
  ])('do not follow %s=%s, which makes no sense', (name, value) => {
    expect(settingsOf({ [name]: value })).toEqual({ disabled: false, share: 1 });
  });
});
