import { pino, type ChildLoggerOptions, type DestinationStream, type LogFn, type Logger } from 'pino';
import { currentContext } from './context.ts';
import { printable } from './patterns.ts';
import { plain, Walk, type Limits, type Rules } from './plain.ts';
import { createRedactor, type Redactor } from './redactor.ts';
import { outputOf, type Format } from './stdout.stream.ts';

export type { Logger };

export type TraceFields = { trace_id: string; span_id: string; trace_flags: string };

export type LoggerOptions = {
  /** `service.name` of every line. */
  service: string;
  /** `service.version` of every line. Default: none. */
  version?: string;
  /** `deployment.environment.name` of every line. Default: none. */
  environment?: string;
  /** Least severity that is written: trace, debug, info, warn, error, fatal, or silent. Default `info`. */
  level?: string;
  /** Default `auto`: pretty on a terminal when `environment` is `development`, else JSON. */
  format?: Format;
  /** Takes secrets out of every line. Default: `createRedactor()`. `false` is for tests that show what it is for. */
  redact?: Redactor | false;
  /** The trace of the work under way, asked for at every line. Default: none. */
  trace?: () => TraceFields | undefined;
  /** Default: stdout. A process writes its events there and lets the platform collect them (factor 11). */
  destination?: DestinationStream;
};

/** What one line holds at most. Collectors cut lines at 16 KiB and more; a line of a whole page is read by nobody. */
const LIMITS: Limits = { depth: 8, entries: 100, text: 8 * 1024, total: 32 * 1024 };
const NOT_REDACTED = { text: printable, name: (name: string) => ({ shown: printable(name), hidden: false }) };

/**
 * JSON lines with ISO time, severity as text, and the correlation id and the trace of the work under way.
 *
 * @throws TypeError when `service` or `format` is none; Error when the level is unknown, or pino-pretty is not installed.
 */
export function createLogger(options: LoggerOptions): Logger {
  check(options);
  const { level = 'info', format = 'auto', redact = createRedactor(), destination } = options;
  const rules: Rules = { ...(redact || NOT_REDACTED), limits: LIMITS };
  const logger: Logger = pino(
    {
      level,
      base: plain(resourceOf(options), rules) as Record<string, unknown>,
      timestamp: isoTime(),
      formatters: { level: (label) => ({ severity: label }) },
      // The fields are plain by then; what is left is the text that pino made of the arguments.
      serializers: { msg: (msg: unknown) => plain(msg, rules), err: (err: unknown) => err },
      mixin: mixinOf(options.trace),
      mixinMergeStrategy: (given, own) => merged(given as Fields, own as Fields, rules),
      hooks: { logMethod: neverThrows },
    },
    destination ?? outputOf(format, options.environment),
  );
  return withPlainBindings(logger, rules);
}

function check({ service, format = 'auto' }: LoggerOptions): void {
  if (!service) throw new TypeError(`service must be a name, got ${JSON.stringify(service)}`);
  if (!['json', 'pretty', 'auto'].includes(format))
    throw new TypeError(`format must be json, pretty or auto, got ${JSON.stringify(format)}`);
}

type Fields = Record<string, unknown>;

/** The names are OpenTelemetry's semantic conventions for resources. */
function resourceOf({ service, version, environment }: LoggerOptions): Fields {
  return {
    'service.name': service,
    ...(version && { 'service.version': version }),
    ...(environment && { 'deployment.environment.name': environment }),
  };
}

/** ISO 8601 with milliseconds, in UTC. Formatting a date costs more than the rest of a line: once a second will do. */
function isoTime(): () => string {
  let second = NaN;
  let upToIt = '';
  return () => {
    const now = Date.now();
    const ms = now % 1000;
    if (now - ms !== second) {
      second = now - ms;
      upToIt = `,"time":"${new Date(second).toISOString().slice(0, -4)}`;
    }
    return `${upToIt}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z"`;
  };
}

function mixinOf(trace: LoggerOptions['trace']): () => Fields {
  return () => {
    const id = currentContext()?.correlationId;
    const fields: Fields = id === undefined ? {} : { correlation_id: id };
    const traced = trace?.();
    if (traced) {
      fields['trace_id'] = traced.trace_id;
      fields['span_id'] = traced.span_id;
      fields['trace_flags'] = traced.trace_flags;
    }
    return fields;
  };
}

/** Names that every line has already: a second one would win with most readers, and forge the first. */
const TAKEN = new Set(['severity', 'time', 'service.name', 'service.version', 'deployment.environment.name']);

/** The fields of one call beside our own, made plain on the way: one pass over each line, and no copy of it. */
function merged(given: Fields, own: Fields, rules: Rules): Fields {
  const walk = new Walk(rules);
  walk.into(own, Object.keys(given), (name) => given[name as string], TAKEN);
  return own;
}

/** A log call is never why work fails. */
function neverThrows(this: Logger, args: Parameters<LogFn>, method: LogFn): void {
  try {
    method.apply(this, args);
  } catch (error) {
    method.call(this, { event: 'log_failed', err: error });
  }
}

/** Fields of a child logger are written once, by pino itself: they are made plain before it sees them. */
function withPlainBindings(logger: Logger, rules: Rules): Logger {
  for (const name of ['child', 'setBindings'] as const) {
    const original = logger[name];
    Object.defineProperty(logger, name, {
      value(this: Logger, bindings: Fields, options?: ChildLoggerOptions): unknown {
        return Reflect.apply(original, this, [plain(bindings, rules), options]);
      },
    });
  }
  return logger;
}
