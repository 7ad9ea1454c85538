import { describe, expect, it } from '@jest/globals';
import { configurationViolations, differing, refusalViolations, type Told } from './configurations.ts';
import { namedIn, requiredVariables, STAGES, stageEnvironment } from './stages.file.ts';

const told = (stage: string, change: Partial<Told> = {}): Told => {
  const variables = {
    HOST: stage,
    DATABASE_URL: `postgres://orders:word-${stage}@db.${stage}.example/orders`,
  };
  const effective = {
    HOST: { value: stage, from: 'environment' },
    DATABASE_URL: { value: `postgres://orders:***@db.${stage}.example/orders`, from: 'environment' },
    LOG_LEVEL: { value: 'info', from: 'default' },
  };
  return { stage, variables, secrets: ['DATABASE_URL'], code: 0, out: JSON.stringify(effective), ...change };
};
const GOOD = ['development', 'staging', 'production'].map((stage) => told(stage));
const changed = (change: Partial<Told>) =>
  configurationViolations([...GOOD.slice(0, 2), told('production', change)]);

describe('three stages of one image', () => {
  it('are as they have to be', () => {
    expect(configurationViolations(GOOD)).toEqual([]);
    expect(differing(GOOD)).toBe(2);
  });

  it.each<[string, Partial<Told>]>([
    ['staging and production have the same configuration', { out: GOOD[1]!.out }],
    ['production: config exits 78: {"problems"', { code: 78, out: '{"problems":[]}' }],
    [
      'production: EXTRA is set, and not what is in force',
      { variables: { ...told('production').variables, EXTRA: '1' } },
    ],
    ['production: DATABASE_URL is shown', { out: told('production').out.replace('***', 'word-production') }],
  ])('are not when %s', (sentence, change) => {
    expect(changed(change)).toContainEqual(expect.stringContaining(sentence));
  });
});

describe('a missing variable', () => {
  const REQUIRED = ['DATABASE_URL', 'JWKS_URL'];
  const line = (...variables: string[]) =>
    `started\n${JSON.stringify({ problems: variables.map((variable) => ({ variable })) })}\n`;

  it('ends the start with 78 and is named', () => {
    expect(refusalViolations({ without: ['JWKS_URL'], code: 78, out: line('JWKS_URL') }, REQUIRED)).toEqual(
      [],
    );
    expect(refusalViolations({ without: REQUIRED, code: 78, out: line(...REQUIRED) }, REQUIRED)).toEqual([]);
  });

  it.each([
    ['without JWKS_URL it exits 0, not 78', 0, ''],
    ['without JWKS_URL: JWKS_URL is not told', 78, line()],
    ['without JWKS_URL: DATABASE_URL is told as well', 78, line('JWKS_URL', 'DATABASE_URL')],
  ])('is not refused as it has to be when %s', (sentence, code, out) => {
    expect(refusalViolations({ without: ['JWKS_URL'], code, out }, REQUIRED)).toEqual([sentence]);
  });
});

describe('the stages of infra/kubernetes', () => {
  it('give an app its hosts and its secrets, no placeholder among them', () => {
    for (const stage of STAGES) {
      const { variables, secrets } = stageEnvironment('orders', stage);
      expect(Object.entries(variables).filter(([name, value]) => value === `<${name}>`)).toEqual([]);
      expect(secrets).toEqual(['DATABASE_URL', 'REDIS_URL']);
    }
    const [staging, production] = (['staging', 'production'] as const).map((stage) =>
      stageEnvironment('orders', stage),
    );
    expect(staging!.variables['KAFKA_BROKERS']).not.toBe(production!.variables['KAFKA_BROKERS']);
  });

  it('name what must be in no image: passwords and hosts, and no word that is in any text', () => {
    const variables = {
      DATABASE_URL: 'postgres://orders:word@db.staging.example:5432/orders',
      GATEWAY_API_KEY: 'key-1',
      KAFKA_BROKERS: 'kafka-1.staging.example:9092,kafka-2.staging.example:9092',
      PAYMENTS_URL: 'http://payments',
      JWT_ISSUER: 'http://127.0.0.1:14011',
    };
    expect(namedIn({ variables, secrets: ['DATABASE_URL', 'GATEWAY_API_KEY'] })).toEqual([
      'word',
      'key-1',
      'db.staging.example',
      'kafka-1.staging.example',
      'kafka-2.staging.example',
    ]);
  });

  it('leave to a deployment what the apps cannot guess', () => {
    expect(requiredVariables('orders').toSorted()).toEqual(
      ['DATABASE_URL', 'JWKS_URL', 'JWT_ISSUER', 'KAFKA_BROKERS', 'PAYMENTS_URL', 'REDIS_URL'].toSorted(),
    );
  });
});
