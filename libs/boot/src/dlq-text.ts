import type { HeldKey, Letter, LetterOutcome, LetterProgress } from '@cairn/messaging';

const MAX_CELL = 60;

export function letterTable(letters: Letter[]): string {
  const rows = letters.map(({ id, at, event, key, reason }) => [
    id,
    timeOf(at),
    event.type ?? '?',
    event.subject ?? key ?? '',
    ...[event.sequence ?? '', oneLine(reason)],
  ]);
  return tableOf([['id', 'parked', 'type', 'subject', 'number', 'reason'], ...rows]);
}

export function heldTable(held: HeldKey[]): string {
  const rows = held.map(({ topic, source, subject, waitsFor, count, since }) => [
    ...[topic, source, subject, String(waitsFor), String(count), timeOf(since)],
  ]);
  return tableOf([['held in', 'of', 'subject', 'waits for number', 'waiting', 'since'], ...rows]);
}

/** All that is known of a letter. */
export function letterText({ id, at, event, key, reason, stack, redacted, message }: Letter): string {
  const headers = Object.entries(message.headers ?? {});
  const lines = [
    id,
    `parked   ${timeOf(at)}`,
    `key      ${key ?? '(none)'}`,
    `event    ${[event.type, event.id].filter(Boolean).join(' ') || '(cannot be read)'}`,
    ...(event.sequence ? [`number   ${event.sequence} of ${event.source} ${event.subject}`] : []),
    ...(redacted ? ['changed  a secret was taken out; a replay reads the original'] : []),
    `reason   ${reason}`,
    ...(stack ? ['', stack] : []),
    ...['', ...headers.map(([name, value]) => `${name}: ${String(value)}`)],
    ...['', valueOf(message.value)],
  ];
  return `${lines.join('\n')}\n`;
}

export function progressLine({ n, of, letter, ...told }: Parameters<LetterProgress>[0]): string {
  const what = `${n}/${of}  ${told.outcome.padEnd(4)}  ${letter.id}  ${letter.event.type ?? '?'}`;
  if (told.outcome === 'held') return `${what}: waits for an event before it, see "list"\n`;
  return told.outcome === 'kept' ? `${what}: ${oneLine(told.reason, 300)}\n` : `${what}\n`;
}

export function sumOf(verb: string, outcomes: LetterOutcome[]): string {
  const kept = outcomes.filter(({ outcome }) => outcome === 'kept').length;
  return `${outcomes.length - kept} ${verb}, ${kept} kept\n`;
}

function valueOf(value: Buffer | null): string {
  if (value === null) return '(no value)';
  const text = value.toString();
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // not JSON: shown as it is
  }
}

const timeOf = (at: Date | undefined) => (at ? at.toISOString().slice(0, 19).replace('T', ' ') : '?');

function oneLine(text: string, length = MAX_CELL): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

function tableOf(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}
