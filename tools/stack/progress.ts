import type { Progress, Report } from './types.ts';

const repeatMs = 5000;

/**
 * Runs `work` as a step that is seen: one line when it starts, one every 5 s while it goes on, one at its end.
 * `detail` may add how far it has come.
 */
export async function step<T>(
  report: Report,
  name: string,
  message: string,
  work: () => Promise<T>,
  detail: () => string = () => '',
): Promise<T> {
  const began = performance.now();
  const say = (state: Progress['state'], text: string) =>
    report({ step: name, state, message: text, elapsedMs: Math.round(performance.now() - began) });
  say('running', message);
  const timer = setInterval(() => say('running', `${message} ${detail()}`.trimEnd()), repeatMs);
  try {
    const result = await work();
    say('done', message);
    return result;
  } catch (error) {
    say('failed', message);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

export const info = (report: Report, name: string, message: string) =>
  report({ step: name, state: 'info', message, elapsedMs: 0 });

const marks = { running: '…', done: '✓', failed: '✗', info: '·' };

export function line(progress: Progress): string {
  const seconds = progress.state === 'info' ? '' : ` (${(progress.elapsedMs / 1000).toFixed(1)} s)`;
  return `${marks[progress.state]} ${progress.step.padEnd(9)} ${progress.message}${seconds}`;
}

/** Prints every step: plain lines where nobody watches, and below them, on a terminal, the steps that go on. */
export function printer(out: NodeJS.WriteStream = process.stdout): Report {
  if (!out.isTTY) return (progress) => void out.write(`${line(progress)}\n`);
  const going = new Map<string, Progress>();
  let shown = 0;
  return (progress) => {
    const clear = shown > 0 ? `\x1b[${shown}A\x1b[0J` : '';
    if (progress.state === 'running') going.set(progress.step, progress);
    else going.delete(progress.step);
    const ended = progress.state === 'running' ? '' : `${line(progress)}\n`;
    const width = out.columns - 1;
    const rest = [...going.values()].map((one) => `${line(one).slice(0, width)}\n`);
    shown = rest.length;
    out.write(clear + ended + rest.join(''));
  };
}
