import { z } from 'zod';

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a port number')
  .transform(Number)
  .refine((value) => value <= 65_535, 'must be at most 65535');
const text = z.string().min(1, 'must not be empty');

/** Every variable that the simulators read. An optional one that is absent has the meaning told beside it. */
export const configSchema = z.object({
  /** Address all servers listen on. */
  HOST: text.default('127.0.0.1'),
  /** Port of the payment gateway; 0 takes any free one. */
  GATEWAY_PORT: port.default(14_010),
  /** Bearer key that callers of `/v1` must send. */
  GATEWAY_API_KEY: text.default('gateway-development-key'),
  /** File that keeps charges and refunds over restarts. Absent: memory only. */
  GATEWAY_JOURNAL: text.optional(),
  /** Seed of the faults' randomness: the same seed and calls give the same faults. Absent: a new one, logged. */
  GATEWAY_SEED: z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number of at most 9 digits')
    .transform(Number)
    .optional(),
  /** Port of the token issuer; 0 takes any free one. */
  ISSUER_PORT: port.default(14_011),
  /** URL by which the services reach the issuer; it is the `iss` of every token. */
  ISSUER_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
    .transform((url) => url.replace(/\/+$/, ''))
    .default('http://127.0.0.1:14011'),
  /** File that keeps the signing keys over restarts. Absent: new keys at every start. */
  ISSUER_KEY_FILE: text.optional(),
  /** Port of the trace store; 0 takes any free one. */
  TRACES_PORT: port.default(14_012),
  /** How many spans the trace store keeps; the oldest traces go. About 1 KB each. */
  TRACES_MAX_SPANS: z
    .string()
    .regex(/^[1-9]\d{0,6}$/, 'must be a whole number from 1 to 9999999')
    .transform(Number)
    .default(20_000),
  /** Least severe level that is logged. */
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  NODE_ENV: z
    .string()
    .refine(
      (value) => value !== 'production',
      'the simulators are for development only and refuse production',
    )
    .optional(),
});

export type Config = z.infer<typeof configSchema>;

/** Thrown with every bad variable at once, so that one start shows all that is to be mended. */
export class ConfigError extends Error {
  readonly problems: string[];

  constructor(problems: string[]) {
    super(`Bad environment:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** @throws {ConfigError} naming every variable that does not fit */
export function readConfig(env: Record<string, string | undefined>): Config {
  const parsed = configSchema.safeParse(env);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map(({ path, message }) => {
      const name = String(path[0]);
      // The value of a secret is never printed, not even a bad one.
      return name === 'GATEWAY_API_KEY' ? `${name}: ${message}` : `${name}=${env[name]}: ${message}`;
    }),
  );
}
