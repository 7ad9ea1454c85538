/** Shifts what a process takes for the time of day, timers and all monotonic clocks untouched. */
const shifted = (ms: number) => `
  const Real = Date;
  globalThis.Date = class Date extends Real {
    constructor(...given) { given.length > 0 ? super(...given) : super(Real.now() + ${ms}); }
    static now() { return Real.now() + ${ms}; }
  };`;

/** The variables that set the clock of a Node process wrong by so many ms; none when it is right. */
export function clockSkewEnvironment(skewMs: number): Record<string, string> {
  if (skewMs === 0) return {};
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(shifted(skewMs))}` };
}
