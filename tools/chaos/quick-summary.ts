/** How one kind of chaos ended. */
export type QuickResult = {
  kind: string;
  /** Its exit code. */
  code: number;
  tookMs: number;
  /** What it said at its end: why it passed, or everything that was wrong. */
  verdicts: string[];
  /** By Ctrl-C: those after it were not begun. */
  calledOff: boolean;
};

/** The last lines with the mark that counts: `✓` of one that passed, `✗` of one that did not. */
export function verdictsIn(output: string, passed: boolean): string[] {
  const mark = passed ? '✓ ' : '✗ ';
  const marked = output
    .split('\n')
    .filter((line) => line.startsWith(mark))
    .map((line) => line.slice(mark.length).trim());
  return passed ? marked.slice(-1) : marked;
}

/** Rows for a table, one per kind. */
export function quickRows(results: QuickResult[]): string[][] {
  return [
    ['chaos', '', 'took', ''],
    ...results.map(({ kind, code, tookMs, verdicts, calledOff }) => [
      kind,
      calledOff ? 'called off' : code === 0 ? 'passed' : `exit ${code}`,
      `${(tookMs / 1000).toFixed(0)} s`,
      verdicts[0] ?? 'it said nothing; its log says why',
    ]),
  ];
}
