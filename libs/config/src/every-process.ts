import { duration } from './units.ts';
import { ENVIRONMENTS } from './sources.ts';
import { url } from './url.ts';
import { flag, oneOf, port, share, text } from './variables.ts';

/** What every process of ours may be told, with the defaults that it gives. */
const VARIABLES = {
  DEPLOYMENT_ENVIRONMENT: (fallback: (typeof ENVIRONMENTS)[number]) =>
    oneOf(
      'where it runs; development has defaults for a local stack, which staging and production refuse',
      ENVIRONMENTS,
      fallback,
    ),
  SERVICE_VERSION: (fallback: string) => text('which build it is, as logs and traces name it', fallback),
  HOST: (fallback: string) => text('address it listens on', fallback),
  PORT: (fallback: number) => port('port for probes, and for its API where it has one', fallback),
  METRICS_PORT: (fallback: number) =>
    port('port for metrics, flags, probes and the hook before a stop', fallback),
  LOG_LEVEL: (fallback: (typeof LEVELS)[number]) => oneOf('least severity that is logged', LEVELS, fallback),
  LOG_FORMAT: (fallback: (typeof FORMATS)[number]) =>
    oneOf('how a log line looks; auto is pretty on a terminal in development', FORMATS, fallback),
  OTEL_SDK_DISABLED: (fallback: boolean) => flag('whether there are neither traces nor metrics', fallback),
  OTEL_EXPORTER_OTLP_ENDPOINT: (fallback: string) =>
    url('where traces and metrics are sent; empty: nowhere', ['http', 'https'], fallback),
  OTEL_TRACES_SAMPLER_ARG: (fallback: number) =>
    share('share of traces that are recorded, unless whoever calls has decided', fallback),
  DRAIN_MS: (fallback: number) =>
    duration('how long it serves on after readiness turned 503', {
      unit: 'ms',
      max: 600_000,
      default: fallback,
    }),
  SHUTDOWN_DEADLINE_MS: (fallback: number) =>
    duration('when a process that was told to end is ended, whatever it still does', {
      unit: 'ms',
      min: 1000,
      max: 3_600_000,
      default: fallback,
    }),
};

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
const FORMATS = ['auto', 'json', 'pretty'] as const;

type Variables = typeof VARIABLES;
type Defaults = { [K in keyof Variables]: Parameters<Variables[K]>[0] };

/**
 * The variables of every process, to be spread into a schema. They are written out with their defaults, so that a search
 * for a variable finds where it is defined.
 */
export function everyProcess(defaults: Defaults): { [K in keyof Defaults]: ReturnType<Variables[K]> } {
  const names = Object.keys(VARIABLES) as (keyof Defaults)[];
  return Object.fromEntries(names.map((name) => [name, VARIABLES[name](defaults[name] as never)])) as never;
}
