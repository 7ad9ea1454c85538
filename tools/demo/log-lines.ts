import { closeSync, openSync, readSync, statSync } from 'node:fs';

export type LogLine = { time: string; event?: string; [field: string]: unknown };

/** Reads what a process logs from now on: each call of `read` adds the lines that came since the last one. */
export function followLog(file: string): { lines: LogLine[]; read(): void } {
  const lines: LogLine[] = [];
  let position = statSync(file).size;
  let rest = '';
  const read = () => {
    const fd = openSync(file, 'r');
    try {
      const buffer = Buffer.alloc(64 * 1024);
      for (let size; (size = readSync(fd, buffer, 0, buffer.length, position)) > 0; position += size) {
        rest += buffer.toString('utf8', 0, size);
      }
    } finally {
      closeSync(fd);
    }
    const whole = rest.split('\n');
    rest = whole.pop()!;
    for (const line of whole) if (line.startsWith('{')) lines.push(JSON.parse(line) as LogLine);
  };
  return { lines, read };
}
