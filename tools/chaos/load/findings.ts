import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ledger } from './ledger.ts';
import type { Timeline } from './timeline.ts';

/** Writes down every failure, every step and the summary. Answers the summary with the folder in it. */
export function writeFindings<T extends object>(
  folder: string,
  summary: T,
  ledger: Ledger,
  timeline: Timeline,
): T & { folder: string } {
  mkdirSync(folder, { recursive: true });
  const lines = (rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  writeFileSync(join(folder, 'failures.jsonl'), lines(ledger.failures));
  writeFileSync(join(folder, 'timeline.jsonl'), lines(timeline.steps));
  writeFileSync(join(folder, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
  return { ...summary, folder };
}
