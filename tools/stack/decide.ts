import type { EngineName, How } from './types.ts';

/** The variable by which somebody else's engine is attached. */
export const urlVariables: Record<EngineName, string> = {
  postgres: 'POSTGRES_URL',
  redis: 'REDIS_URL',
  kafka: 'KAFKA_BROKERS',
  s3: 'S3_ENDPOINT',
  smtp: 'SMTP_URL',
};

export const engineNames = Object.keys(urlVariables) as EngineName[];

/** Why compose can or cannot be used, as found on this machine. */
export type ComposeAnswer = { usable: boolean; reason: string };
export type Decision = { how: How; reason: string };

export function forcedHow(env: NodeJS.ProcessEnv): 'native' | 'compose' | undefined {
  const value = env['CAIRN_ENGINES'];
  if (value === undefined || value === '') return undefined;
  if (value === 'native' || value === 'compose') return value;
  throw new RangeError(`CAIRN_ENGINES must be native or compose, got ${value}`);
}

/** Attached, else compose, else native. The reason is what the person at the terminal reads. */
export function decide(
  engine: EngineName,
  from: { env: NodeJS.ProcessEnv; ports: 'fixed' | 'free'; compose: ComposeAnswer },
): Decision {
  const variable = urlVariables[engine];
  if (from.env[variable]) return { how: 'attached', reason: `${variable} is set` };
  const forced = forcedHow(from.env);
  if (forced === 'native') return { how: 'native', reason: 'CAIRN_ENGINES=native' };
  if (from.ports === 'free')
    return { how: 'native', reason: 'a stack with free ports never shares containers' };
  if (from.compose.usable) return { how: 'compose', reason: from.compose.reason };
  if (forced === 'compose') throw new RangeError(`CAIRN_ENGINES=compose, but ${from.compose.reason}`);
  return { how: 'native', reason: from.compose.reason };
}

/** Host and port of a URL, or of the first of a list of brokers. */
export function hostAndPort(engine: EngineName, url: string): { host: string; port: number } {
  const defaults: Record<EngineName, number> = { postgres: 5432, redis: 6379, kafka: 9092, s3: 80, smtp: 25 };
  const first = url.split(',')[0] ?? '';
  const parsed = new URL(engine === 'kafka' ? `kafka://${first}` : first);
  const standard = parsed.protocol === 'https:' ? 443 : defaults[engine];
  return { host: parsed.hostname.replace(/^\[|\]$/g, ''), port: Number(parsed.port) || standard };
}

/** A URL without its password, fit to be shown. */
export function masked(url: string): string {
  return url.replace(/(\/\/[^:@/]*):[^@/]*@/, '$1:***@');
}
