import { createRequire } from 'node:module';
import { destination, type DestinationStream } from 'pino';

export type Format = 'json' | 'pretty' | 'auto';
export type Output = DestinationStream & { flushSync?: () => void };

/** Bytes that are collected before they are written, and how long a line may wait for more, in ms. */
const BUFFER_BYTES = 8 * 1024;
const WAIT_MS = 200;

// A process has one standard output: two buffers in front of it would mix up the order of lines.
let shared: Output | undefined;

/** @throws Error when `format` is `pretty` and pino-pretty is not installed. */
export function outputOf(format: Format, environment: string | undefined): Output {
  return isPretty(format, environment) ? prettyOutput() : (shared ??= standardOutput());
}

/**
 * Standard output, a buffer at a time. Written synchronously: with asynchronous writes `process.exit` loses or swaps
 * what is on its way, and on a pipe or a file one write of 8 KiB costs less than the way to another thread and back.
 */
function standardOutput(): Output {
  const stream = destination({ dest: 1, sync: true, minLength: BUFFER_BYTES, periodicFlush: WAIT_MS });
  // Also after an uncaught exception; not after a signal that nobody handles, and not after kill -9.
  process.on('exit', () => flushed(stream));
  return stream;
}

function flushed(stream: Output): void {
  try {
    stream.flushSync?.();
  } catch {
    // nobody reads standard output any more
  }
}

/** `auto` is pretty on a terminal in development, where pino-pretty is installed, and JSON everywhere else. */
function isPretty(format: Format, environment: string | undefined): boolean {
  if (format !== 'auto') return format === 'pretty';
  return process.stdout.isTTY === true && environment === 'development' && findPretty() !== undefined;
}

function prettyOutput(): Output {
  const pretty = findPretty();
  if (!pretty)
    throw new Error('format "pretty" needs the package pino-pretty: npm install --save-dev pino-pretty');
  return pretty({
    colorize: process.stdout.isTTY === true,
    levelKey: 'severity',
    messageFormat: '{event} {msg}',
    ignore: 'event,msg,service.name,service.version,deployment.environment.name',
    sync: true,
  });
}

type Pretty = (options: Record<string, unknown>) => Output;

/** Looked for when it is needed: it is a tool of developers and not in any image. */
function findPretty(): Pretty | undefined {
  try {
    return createRequire(import.meta.url)('pino-pretty') as Pretty;
  } catch {
    return undefined;
  }
}
