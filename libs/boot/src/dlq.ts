import {
  parseEvent,
  sequenceOf,
  type Delivery,
  type Handlers,
  type Letter,
  type LetterFilter,
  type LetterOutcome,
  type LetterProgress,
  type Message,
} from '@cairn/messaging';
import { parseArgs } from 'node:util';
import { heldTable, letterTable, letterText, progressLine, sumOf } from './dlq-text.ts';

/** `broker.deadLetters(…)`, by its shape. */
type Letters = {
  list(filter?: LetterFilter): Promise<Letter[]>;
  show(id: string): Promise<Letter>;
  replay(
    ids: string[] | 'all',
    deliver: (message: Message) => Promise<'done' | 'held'>,
    onProgress?: LetterProgress,
  ): Promise<LetterOutcome[]>;
  drop(
    ids: string[] | 'all',
    release?: (letter: Letter) => Promise<unknown>,
    onProgress?: LetterProgress,
  ): Promise<LetterOutcome[]>;
};

/** What the command `dlq` works with: the consumer's own way of handling a message, and what it could not handle. */
export type DlqParts = {
  service: string;
  letters: Letters;
  delivery: Delivery;
  handlers: Handlers;
  /** Connects what handlers need. Not called for a command line that is wrong. */
  connect: () => Promise<unknown>;
  redact: (text: string) => string;
  out?: (text: string) => void;
  err?: (text: string) => void;
};

export const DLQ_USAGE = `dlq list [--topic TOPIC] [--key KEY]   what could not be handled, and what waits for it
dlq show ID                            one of them, with its message and the stack of what was thrown
dlq replay ID… | --all                 handle them after all, and forget those that succeed
dlq drop ID…                           forget them unhandled, and let go on what waits for them
dlq skip SUBJECT…                      give up the event that a subject waits for, when it is not even a dead letter
`;

type Action = (parts: Required<DlqParts>) => Promise<number>;

/**
 * The admin command `dlq`. Resolves with its exit code: 0 when all is done, 1 when something was kept or is not there, and
 * 2 for a command line that it does not know. Replaying twice has one effect, as every delivery does.
 */
export async function dlq(parts: DlqParts, args: string[]): Promise<number> {
  const out = (text: string) => void process.stdout.write(text);
  const err = (text: string) => void process.stderr.write(text);
  const all = { out, err, ...parts };
  let action: Action | undefined;
  try {
    action = actionOf(args);
  } catch (error) {
    if (!String((error as { code?: string }).code).startsWith('ERR_PARSE_ARGS')) throw error;
    all.err(`${(error as Error).message}\n`);
  }
  if (!action) {
    all.err(DLQ_USAGE);
    return 2;
  }
  try {
    await all.connect();
    return await action(all);
  } catch (error) {
    if ((error as { code?: string }).code !== 'unknown_letter') throw error;
    all.err(`${(error as Error).message}\n`);
    return 1;
  }
}

function actionOf(args: string[]): Action | undefined {
  const text = { type: 'string' } as const;
  const options = { all: { type: 'boolean' }, topic: text, key: text } as const;
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const [verb = '', ...ids] = positionals;
  const { all = false, ...filter } = values;
  const filtered = Object.keys(filter).length > 0;
  if (verb === 'list') return ids.length === 0 && !all ? (parts) => list(parts, filter) : undefined;
  if (filtered) return undefined;
  if (verb === 'replay' && all !== ids.length > 0) return (parts) => replay(parts, all ? 'all' : ids);
  if (all) return undefined;
  if (verb === 'show' && ids.length === 1) return (parts) => show(parts, ids[0]!);
  if (verb === 'drop' && ids.length > 0) return (parts) => drop(parts, ids);
  if (verb === 'skip' && ids.length > 0) return (parts) => skip(parts, ids);
  return undefined;
}

async function list({ service, letters, delivery, out }: Required<DlqParts>, filter: LetterFilter) {
  const found = await letters.list(filter);
  const held = (await delivery.held()).filter(
    ({ topic, subject }) => (filter.topic ?? topic) === topic && (filter.key ?? subject) === subject,
  );
  out(found.length > 0 ? letterTable(found) : `no dead letters of ${service}\n`);
  if (held.length > 0) out(`\n${heldTable(held)}`);
  return 0;
}

async function show({ letters, out }: Required<DlqParts>, id: string) {
  out(letterText(await letters.show(id)));
  return 0;
}

async function replay(parts: Required<DlqParts>, ids: string[] | 'all') {
  const deliver = (message: Message) => {
    const { type } = parseEvent(message.value);
    // A consumer passes over what it does not know; an operator is told.
    if (!parts.handlers[message.topic]?.[type])
      throw new Error(`nothing handles ${type} of ${message.topic} any more: drop it`);
    return parts.delivery.handleOnce(message);
  };
  return endOf(parts, 'replayed', await parts.letters.replay(ids, async (one) => deliver(one), told(parts)));
}

async function drop(parts: Required<DlqParts>, ids: string[]) {
  const release = (letter: Letter) => letGo(parts, letter);
  return endOf(parts, 'dropped', await parts.letters.drop(ids, release, told(parts)));
}

/** What cannot be read has no number: then it is what its key's events wait for, if no other letter is. */
async function letGo({ letters, delivery }: Required<DlqParts>, { event, topic, key }: Letter) {
  const { source, subject, sequence } = event;
  if (source && subject && isNumber(sequence)) return delivery.skip({ source, subject, sequence }, topic);
  if (key === null) return;
  const waiting = (await delivery.held()).filter((held) => held.topic === topic && held.subject === key);
  if (waiting.length === 0) return;
  const others = await letters.list({ topic, key });
  for (const held of waiting) {
    const missing = String(held.waitsFor);
    if (others.some((other) => other.event.sequence === missing && other.event.source === held.source))
      continue;
    await delivery.skip({ source: held.source, subject: held.subject, sequence: missing }, topic);
  }
}

function isNumber(sequence: string | undefined): sequence is string {
  try {
    return sequenceOf({ sequence }) !== undefined;
  } catch {
    return false; // none that tells an order: it may be why the letter is here
  }
}

async function skip({ delivery, out, err }: Required<DlqParts>, subjects: string[]) {
  const held = await delivery.held();
  const unknown = subjects.filter((subject) => !held.some((one) => one.subject === subject));
  if (unknown.length > 0) {
    err(`nothing waits for an event of ${unknown.join(', ')}: "list" shows what waits\n`);
    return 1;
  }
  for (const { source, subject, topic, waitsFor } of held) {
    if (!subjects.includes(subject)) continue;
    await delivery.skip({ source, subject, sequence: String(waitsFor) }, topic);
    out(`gave up number ${waitsFor} of ${source} ${subject}\n`);
  }
  return 0;
}

const told =
  ({ out, redact }: Required<DlqParts>): LetterProgress =>
  (progress) =>
    out(redact(progressLine(progress)));

function endOf({ out }: Required<DlqParts>, verb: string, outcomes: LetterOutcome[]): number {
  out(sumOf(verb, outcomes));
  return outcomes.some(({ outcome }) => outcome === 'kept') ? 1 : 0;
}
