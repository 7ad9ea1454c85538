import type { Jitter } from './backoff.ts';

/** Settings of one dependency, to be judged together. A field that is left out is not judged. */
export type JudgedSettings = {
  /** How long the upstream takes to recover, in ms: its restart, its failover. */
  recoveryTimeMs?: number | undefined;
  /** How long the circuit stays open, in ms. */
  openForMs?: number | undefined;
  /** Successes that close a half-open circuit. */
  successThreshold?: number | undefined;
  jitter?: Jitter | undefined;
  /** Calls in all. Given, but undefined or Infinity, it is a mistake: no cap. */
  attempts?: number | undefined;
};

/**
 * With the default back-off ten attempts wait up to 26 s and make ten times the load of an outage. What they have not
 * solved a message that is put back will, or a person.
 */
const MOST_ATTEMPTS = 10;

/**
 * The four known mistakes of retries and breakers that no single option shows. Each message has the value, why it is
 * one, and what to set. For the schema of an application's config, which shall refuse to start. Never throws.
 *
 * - open for less than twice the recovery time
 * - closing after a single success
 * - no jitter
 * - no cap on attempts, or one above 10, which is none
 */
export function knownMistakes(settings: JudgedSettings): string[] {
  const { recoveryTimeMs, openForMs, successThreshold, jitter, attempts } = settings;
  const mistakes: string[] = [];
  if (recoveryTimeMs !== undefined && openForMs !== undefined && openForMs < 2 * recoveryTimeMs) {
    mistakes.push(
      `openForMs is ${openForMs}, less than twice the ${recoveryTimeMs} ms that the upstream takes to recover: ` +
        'probes hit it while it is still recovering, throw it back, and the circuit never closes. ' +
        `Set openForMs to at least ${2 * recoveryTimeMs}`,
    );
  }
  if (successThreshold !== undefined && !(successThreshold >= 2)) {
    mistakes.push(
      `successThreshold is ${successThreshold}: one lucky call closes the circuit and lets all traffic onto an ` +
        'upstream that may still fail most calls. Set successThreshold to at least 2',
    );
  }
  if (jitter === 'none') {
    mistakes.push(
      "jitter is 'none': clients that failed together retry together and knock the upstream over again. " +
        "Set jitter to 'full'",
    );
  }
  if ('attempts' in settings && !(attempts !== undefined && attempts <= MOST_ATTEMPTS)) {
    mistakes.push(
      `attempts is ${attempts}, no cap worth the name: while the upstream is down every call costs it that many, ` +
        `and callers wait for nothing. Set attempts to 3, at most ${MOST_ATTEMPTS}`,
    );
  }
  return mistakes;
}
