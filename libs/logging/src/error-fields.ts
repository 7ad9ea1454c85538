import type { Walk } from './plain.ts';

/**
 * What is left out of an error besides objects. An HTTP client hangs its request, its configuration and its agents on
 * its errors (those are objects), and a database the row that it refused.
 */
const LEFT_OUT = new Set(['name', 'message', 'stack', 'cause', 'errors', 'detail', 'where', 'internalQuery']);

/**
 * An error as fields: `type`, `message`, `code`, `stack`, `cause`, the `errors` of an AggregateError, and whatever
 * plain values its class adds (`status`, `syscall`, `constraint`), but no object.
 */
export function errorFields(error: Error, walk: Walk): Record<string, unknown> {
  const of = error as Error & Record<string, unknown>;
  const own = Object.keys(error).filter((name) => !LEFT_OUT.has(name) && !isObject(of, name));
  const names = ['message', ...own, 'stack', 'cause', 'errors'].filter((name) => has(of, name));
  return walk.fields(['type', ...names], (name) => (name === 'type' ? typeOf(error) : of[name as string]));
}

function typeOf(error: Error): string {
  const { constructor } = error;
  return (typeof constructor === 'function' && constructor.name) || String(error.name);
}

function has(error: Record<string, unknown>, name: string): boolean {
  try {
    return error[name] !== undefined;
  } catch {
    return true; // a getter that throws is told of where it is read
  }
}

function isObject(error: Record<string, unknown>, name: string): boolean {
  try {
    return typeof error[name] === 'object' && error[name] !== null;
  } catch {
    return false;
  }
}
