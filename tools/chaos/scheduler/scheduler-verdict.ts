/** What happened to the ticks of one job that is due every second, by the database's clock, in ms. */
export type JobBook = {
  job: string;
  policy: 'skip' | 'once' | 'all';
  announced: Announcement[];
  /** By tick: how often it had its effect. */
  effects: Map<number, number>;
};

export type Announcement = { tickMs: number; atMs: number; replica: string; state: string; attempts: number };

export type Circumstances = {
  /** The last tick that must have been dealt with. */
  untilMs: number;
  /** MISSED_GRACE_S. */
  graceMs: number;
  /** From, to: no replica ran. */
  downtimes: [number, number][];
};

export type Violation = {
  kind: 'double' | 'early' | 'missing' | 'policy' | 'order' | 'effect' | 'unfinished' | 'hollow';
  text: string;
};

const TICK_MS = 1000;
/** How old the look may be that an announcement stands on (`LOOK_GOOD_FOR`). */
const LOOK_MS = 2000;
/** A machine that is busy may be late a second now and then: `once` then leaves a tick out, as it must. */
const SLOW_SHARE = 0.1;

export function violationsOf(book: JobBook, circumstances: Circumstances): Violation[] {
  const announced = book.announced.toSorted((a, b) => a.atMs - b.atMs);
  const open = missingTicks(announced, circumstances.untilMs);
  const say = (kind: Violation['kind'], tickMs: number, what: string) => ({
    kind,
    text: `${book.job} ${clock(tickMs)} ${what}`,
  });
  return [
    ...announced.flatMap((one, i) =>
      // Later ones are still under way.
      one.tickMs > circumstances.untilMs
        ? []
        : wrongWith(one, announced[i - 1], book.effects).map(([kind, what]) => say(kind, one.tickMs, what)),
    ),
    ...POLICIES[book.policy](announced, open, circumstances).map(([tickMs, kind, what]) =>
      say(kind, tickMs, what),
    ),
  ];
}

/** Ticks after the first that was announced, up to `untilMs`, that were not. */
export function missingTicks(announced: Announcement[], untilMs: number): number[] {
  const had = new Set(announced.map(({ tickMs }) => tickMs));
  const missing = [];
  for (let tick = Math.min(...had); tick <= untilMs; tick += TICK_MS) if (!had.has(tick)) missing.push(tick);
  return missing;
}

function wrongWith(
  one: Announcement,
  before: Announcement | undefined,
  effects: Map<number, number>,
): [Violation['kind'], string][] {
  const times = effects.get(one.tickMs) ?? 0;
  const found: [Violation['kind'], string][] = [];
  if (one.atMs < one.tickMs)
    found.push(['early', `was announced ${one.tickMs - one.atMs} ms before it was due, by ${one.replica}`]);
  if (before?.tickMs === one.tickMs)
    found.push(['double', `was announced twice, by ${before.replica} and ${one.replica}`]);
  else if (before && before.tickMs > one.tickMs)
    found.push(['order', `was announced after ${clock(before.tickMs)}`]);
  if (times !== 1) found.push(['effect', `had its effect ${times} times`]);
  if (one.state !== 'finished') found.push(['unfinished', `is ${one.state} after ${one.attempts} attempts`]);
  return found;
}

type Finding = [tickMs: number, kind: Violation['kind'], what: string];

const POLICIES: Record<
  JobBook['policy'],
  (announced: Announcement[], missing: number[], how: Circumstances) => Finding[]
> = {
  all: (_, missing) => missing.map((tick) => [tick, 'missing', 'was never announced']),
  once: (announced, missing, how) => {
    const next = afterGaps(announced, missing);
    const old = next.filter(({ tickMs, atMs }) => atMs - tickMs > TICK_MS + LOOK_MS);
    const slow = missing.filter((tick) => !within(tick, how.downtimes));
    const tooSlow = slow.length > SLOW_SHARE * (announced.length + missing.length);
    return [
      ...old.map(({ tickMs, atMs }): Finding => [
        tickMs,
        'policy',
        `was announced for those before it ${atMs - tickMs} ms late: there were later ones`,
      ]),
      ...forLost(announced, missing),
      ...(tooSlow ? slow : []).map((tick): Finding => [
        tick,
        'missing',
        'was passed over while replicas ran',
      ]),
    ];
  },
  skip: (announced, missing, { graceMs }) => [
    ...announced
      .filter(({ tickMs, atMs }) => atMs - tickMs > graceMs + LOOK_MS)
      .map(({ tickMs, atMs }): Finding => [
        tickMs,
        'policy',
        `was announced ${atMs - tickMs} ms late, beyond the grace`,
      ]),
    ...forLost(announced, missing),
    ...missing
      .filter((tick) => {
        const next = announced.find(({ tickMs }) => tickMs > tick);
        return next !== undefined && next.atMs - tick < graceMs;
      })
      .map((tick): Finding => [tick, 'policy', 'was left out within the grace']),
  ],
};

/** A gap is closed by a later tick, or the job stands still. */
function forLost(announced: Announcement[], missing: number[]): Finding[] {
  const last = Math.max(...announced.map(({ tickMs }) => tickMs));
  return missing
    .filter((tick) => tick > last)
    .map((tick) => [tick, 'missing', 'was never announced, nor any after it']);
}

function afterGaps(announced: Announcement[], missing: number[]): Announcement[] {
  const gone = new Set(missing);
  return announced.filter(({ tickMs }) => gone.has(tickMs - TICK_MS));
}

/** A downtime begins to be felt with the tick that it cuts off, and ends with the first look after it. */
function within(tick: number, downtimes: [number, number][]): boolean {
  return downtimes.some(([from, to]) => tick > from - LOOK_MS && tick < to + TICK_MS);
}

const clock = (ms: number) => new Date(ms).toISOString().slice(11, 19);
