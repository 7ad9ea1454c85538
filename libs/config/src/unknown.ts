import { printable } from './mask.ts';
import type { Warning } from './problem.ts';
import type { Environment, Schema } from './schema.ts';
import { closest } from './spelling.ts';

/**
 * Variables that are set and that nobody reads: those close to one that is not set (`DATABSE_URL`), and those that begin
 * like one of ours (`KAFKA_BROKER_LIST`, since there is `KAFKA_BROKERS`). Ours is the first segment of every known
 * variable of several. Left out is what others put there: OTEL_ is OpenTelemetry's, and Kubernetes describes every service
 * of the namespace (`PAYMENTS_SERVICE_HOST`, `PAYMENTS_PORT_3002_TCP_ADDR`, `PAYMENTS_PORT=tcp://…`).
 */
export function unknownVariables(schema: Schema, env: Environment): Warning[] {
  const names = Object.keys(schema.shape);
  const known = new Set(names.flatMap((name) => [name, `${name}_FILE`]));
  const prefixes = new Set(names.flatMap((name) => /^([^_]+)_/.exec(name)?.[1] ?? []));
  const unset = names.filter((name) => !env[name] && !env[`${name}_FILE`]);
  const candidates = unset.flatMap((name) => [name, `${name}_FILE`]);
  return Object.keys(env).flatMap((variable) => {
    if (known.has(variable) || !env[variable] || isOfOthers(variable, env[variable])) return [];
    const suggestion = closest(variable.toUpperCase(), candidates);
    if (suggestion === undefined && !prefixes.has(/^([^_]+)_/.exec(variable)?.[1] ?? '')) return [];
    return [{ variable: printable(variable), ...(suggestion !== undefined && { suggestion }) }];
  });
}

function isOfOthers(variable: string, value: string): boolean {
  return (
    /^(OTEL|NODE|npm|KUBERNETES)_/.test(variable) ||
    /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)/.test(variable) ||
    /^(tcp|udp|sctp):\/\//.test(value)
  );
}
