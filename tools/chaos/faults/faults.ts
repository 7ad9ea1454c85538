/** What breaks in a soak: where it strikes, for how long (least and most, in ms), and how strongly. */
type FaultKindOptions = {
  /** A replica, the link between an app and an engine, or the one thing that is named. */
  strikes: string;
  forMs: [least: number, most: number];
  /** In ms of delay for `latency`, in s of skew for `clock`, a share of calls for the gateway. */
  amount?: [least: number, most: number];
};

/** Kafka gives the partitions of a silent member to others after 6 s: a pause is longer, or it would show nothing. */
const PAST_THE_SESSION: [number, number] = [7000, 9000];

export const FAULT_KINDS = {
  kill: { strikes: 'replica', forMs: [300, 1500] },
  pause: { strikes: 'replica', forMs: PAST_THE_SESSION },
  clock: { strikes: 'replica', forMs: [300, 800], amount: [-300, 300] },
  latency: { strikes: 'link', forMs: [3000, 7000], amount: [50, 300] },
  reset: { strikes: 'link', forMs: [1000, 3000] },
  // Requests arrive and their answers do not: what a client must never take for a failure.
  cut: { strikes: 'link', forMs: [3000, 8000] },
  mute: { strikes: 'link', forMs: [3000, 8000] },
  'postgres-restart': { strikes: 'postgres', forMs: [300, 1500] },
  'broker-restart': { strikes: 'kafka', forMs: [500, 2000] },
  'redis-restart': { strikes: 'redis', forMs: [300, 1500] },
  flush: { strikes: 'redis', forMs: [0, 0] },
  's3-down': { strikes: 's3', forMs: [3000, 7000] },
  'smtp-down': { strikes: 'smtp', forMs: [3000, 7000] },
  'gateway-down': { strikes: 'gateway', forMs: [3000, 7000] },
  'gateway-errors': { strikes: 'gateway', forMs: [4000, 8000], amount: [0.2, 0.5] },
  'gateway-hangs': { strikes: 'gateway', forMs: [3000, 6000], amount: [0.1, 0.4] },
} satisfies Record<string, FaultKindOptions>;

export type FaultKind = keyof typeof FAULT_KINDS;
const ALL = Object.keys(FAULT_KINDS) as FaultKind[];

/** Those that leave a charge without its answer. */
export const LOSE_ANSWERS: FaultKind[] = ['gateway-errors', 'gateway-hangs', 'cut', 'kill'];

/** One fault of the schedule. Times in ms since the load began. */
export type Fault = {
  number: number;
  kind: FaultKind;
  target: string;
  atMs: number;
  forMs: number;
  amount?: number;
};

/** What there is to strike at: `orders-a`, and `orders→postgres`. */
export type Ground = { replicas: string[]; links: string[] };

export type ScheduleOptions = {
  random: () => number;
  /** How long the load lasts, in s. Every fault is over by then. */
  seconds: number;
  count: number;
  ground: Ground;
  /** Default: all. */
  kinds?: FaultKind[];
};

/** Faults begin from here on, and no later than that, as shares of the whole time. */
const [FROM, TO] = [0.04, 0.95];

/**
 * The same faults for the same numbers. Kinds come from a deck, so that each comes once before any comes twice; a thing
 * that is struck is not struck again before it is well. Faults of different things overlap.
 * @throws RangeError when the time is too short for a fault
 */
export function scheduleOf({ random, seconds, count, ground, kinds = ALL }: ScheduleOptions): Fault[] {
  const gapMs = ((TO - FROM) * seconds * 1000) / count;
  const faults: Fault[] = [];
  let deck: FaultKind[] = [];
  for (let i = 0; i < count; i++) {
    const atMs = Math.round(FROM * seconds * 1000 + (i + 0.8 * random()) * gapMs);
    if (deck.length === 0) deck = shuffled(kinds, random);
    const drawn = deck.map((kind) => draw(kind, random, ground));
    const fits = drawn.findIndex((one) => isFree({ ...one, atMs }, faults, seconds));
    // Nothing of what is left fits here, as at the very end: any kind that does.
    const any = () => kinds.map((kind) => draw(kind, random, ground));
    const fault = drawn[fits] ?? any().find((one) => isFree({ ...one, atMs }, faults, seconds));
    if (!fault) throw new RangeError(`No fault fits at ${atMs} ms of ${seconds} s; take fewer, or longer`);
    if (fits >= 0) deck.splice(fits, 1);
    faults.push({ number: i + 1, atMs, ...fault });
  }
  return faults;
}

type Drawn = Omit<Fault, 'number' | 'atMs'>;

function draw(kind: FaultKind, random: () => number, ground: Ground): Drawn {
  const { strikes, forMs, amount }: FaultKindOptions = FAULT_KINDS[kind];
  const places = { replica: ground.replicas, link: ground.links }[strikes] ?? [strikes];
  const between = ([least, most]: [number, number], share: number) => least + share * (most - least);
  // Always as many numbers, so that a kind that is changed leaves the rest of the schedule alone.
  const [where, howLong, howMuch] = [random(), random(), random()];
  const target = places[Math.floor(where * places.length)]!;
  return {
    ...{ kind, target, forMs: Math.round(between(forMs, howLong)) },
    ...(amount && { amount: kind === 'clock' ? edge(amount, howMuch) : round(between(amount, howMuch)) }),
  };
}

/** A clock that is a little wrong shows little: one end or the other. */
const edge = ([least, most]: [number, number], share: number) => (share < 0.5 ? least : most);
const round = (value: number) => Number(value.toPrecision(3));

function isFree({ target, atMs, forMs }: Omit<Fault, 'number'>, others: Fault[], seconds: number): boolean {
  if (atMs + forMs > seconds * 1000) return false;
  // What is struck needs a moment to come back.
  return others.every((one) => one.target !== target || one.atMs + one.forMs + RECOVERY_MS <= atMs);
}

const RECOVERY_MS = 2000;

function shuffled<T>(items: T[], random: () => number): T[] {
  const deck = [...items];
  for (let i = deck.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [deck[i], deck[j]] = [deck[j]!, deck[i]!];
  }
  return deck;
}

/** `pause payments-a 12.1 s`, for people. */
export function nameOf({ kind, target, forMs, amount }: Fault): string {
  const much =
    amount === undefined
      ? ''
      : ` ${kind === 'clock' ? `${amount} s` : kind === 'latency' ? `${amount} ms` : amount}`;
  return `${kind} ${target}${much}${forMs > 0 ? `, ${(forMs / 1000).toFixed(1)} s` : ''}`;
}
