import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { integer, list, port, text } from './index.ts';
import { unknownVariables } from './unknown.ts';

const schema = z.object({
  PORT: port('port', 1),
  KAFKA_BROKERS: list('brokers'),
  PAYMENTS_URL: text('payments'),
  OTEL_SDK_DISABLED: text('off'),
  DRAIN_MS: integer('drain', { default: 1 }),
});

describe('a variable that nobody reads', () => {
  it.each([
    [{ KAFKA_BROKERS: 'a:1', KAFKA_BROKER_LIST: 'a:1' }, [{ variable: 'KAFKA_BROKER_LIST' }]],
    [{ KAFKA_BROKRES: 'a:1' }, [{ variable: 'KAFKA_BROKRES', suggestion: 'KAFKA_BROKERS' }]],
    [{ KAFAK_BROKERS: 'a:1' }, [{ variable: 'KAFAK_BROKERS', suggestion: 'KAFKA_BROKERS' }]],
    [{ drain_ms: '1' }, [{ variable: 'drain_ms', suggestion: 'DRAIN_MS' }]],
    [{ DRAIN_MS_FIEL: '/x' }, [{ variable: 'DRAIN_MS_FIEL', suggestion: 'DRAIN_MS_FILE' }]],
    [{ PAYMENTS_PORT: '3002' }, [{ variable: 'PAYMENTS_PORT' }]],
    [{ 'KAFKA_\u001b[2J': '1' }, [{ variable: 'KAFKA_\\u{1b}[2J' }]],
  ])('is told: %j', (env, warnings) => {
    expect(unknownVariables(schema, env as never)).toEqual(warnings);
  });

  it.each([
    ['what was meant is set as well', { DRAIN_MS: '1', DRAIN_MSS: '1' }, ['DRAIN_MSS']],
    ['a file that is known', { KAFKA_BROKERS_FILE: '/x' }, []],
    ['what is empty', { KAFKA_FOO: '' }, []],
    ['what begins with a word of ours that has no underscore', { PORTAL: '1', HOSTNAME: 'x' }, []],
    ['what OpenTelemetry reads', { OTEL_SERVICE_NAME: 'x', OTEL_BSP_MAX_QUEUE_SIZE: '1' }, []],
    [
      'what Kubernetes sets for services',
      {
        KUBERNETES_SERVICE_HOST: '10.0.0.1',
        PAYMENTS_SERVICE_HOST: '10.0.0.1',
        PAYMENTS_SERVICE_PORT_HTTP: '80',
        PAYMENTS_PORT: 'tcp://10.0.0.1:80',
        PAYMENTS_PORT_80_TCP: 'tcp://10.0.0.1:80',
        PAYMENTS_PORT_80_TCP_PROTO: 'tcp',
        PAYMENTS_PORT_80_TCP_ADDR: '10.0.0.1',
      },
      [],
    ],
    [
      'what the system sets',
      { PATH: '/bin', HOME: '/', LANG: 'C', TZ: 'UTC', NODE_ENV: 'x', npm_x: '1' },
      [],
    ],
  ])('is no noise: %s', (_, env, told) => {
    expect(unknownVariables(schema, env as never).map(({ variable }) => variable)).toEqual(told);
  });
});
