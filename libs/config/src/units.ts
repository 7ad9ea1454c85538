import { block, Refusal, type Block } from './block.ts';
import { bounds, within } from './variables.ts';

const TIMES = { ms: 1n, s: 1_000n, min: 60_000n, h: 3_600_000n, days: 86_400_000n };
const SPELLINGS: Record<string, bigint> = { ...TIMES, m: TIMES.min, d: TIMES.days };
const SIZES = { bytes: 1n, KiB: 1n << 10n, MiB: 1n << 20n, GiB: 1n << 30n };

export type TimeUnit = keyof typeof TIMES;
export type SizeUnit = keyof typeof SIZES;
type Measured<U> = { unit: U; min?: number; max?: number; default?: number | string };

/**
 * A length of time, as a number of `unit`, which the variable's name ends in: `DRAIN_MS=2s` and `DRAIN_MS=2000` are
 * both 2000. Units are ms, s, min (m), h, days (d); bounds and a default that is a number are in `unit`.
 *
 * @throws RangeError for a default that it would refuse
 */
export function duration(
  meaning: string,
  { unit, min = 0, max, default: fallback }: Measured<TimeUnit>,
): Block<number> {
  const example = unit === 'ms' ? '2s' : `2${unit === 'days' ? 'd' : unit}`;
  const expected = `a whole number of ${unit}${bounds(min, max)}, or with its unit as in ${example}`;
  const fix = 'use ms, s, min, h or d, as in 30s';
  return measured(meaning, {
    unit,
    min,
    max,
    fallback,
    expected,
    fix,
    own: TIMES[unit],
    spellings: SPELLINGS,
  });
}

/**
 * A size, as a number of `unit`, which the variable's name ends in: `LIMIT_MIB=1GiB` is 1024. Units are B, KiB, MiB, GiB;
 * those that mean 1000 to some and 1024 to others are refused. Bounds and a default that is a number are in `unit`.
 *
 * @throws RangeError for a default that it would refuse
 */
export function bytes(
  meaning: string,
  { unit, min = 0, max, default: fallback }: Measured<SizeUnit>,
): Block<number> {
  const expected = `a whole number of ${unit}${bounds(min, max)}, or with its unit as in 512MiB`;
  const fix = 'use B, KiB, MiB or GiB, as in 512MiB';
  const { bytes: B, ...others } = SIZES;
  return measured(meaning, {
    unit,
    min,
    max,
    fallback,
    expected,
    fix,
    own: SIZES[unit],
    spellings: { ...others, B },
  });
}

/** A whole number, or `auto`, which is the default: whoever reads it follows the limits of the container. */
export function auto(
  meaning: string,
  { min, max, default: fallback = 'auto' }: { min?: number; max?: number; default?: number | 'auto' } = {},
): Block<number | 'auto'> {
  const meta = {
    description: meaning,
    expected: `auto, or a whole number${bounds(min, max)}`,
    default: fallback,
  };
  return block<number | 'auto'>(meta, (raw) => {
    if (raw === 'auto') return raw;
    if (raw.toLowerCase() === 'auto') return new Refusal('write auto');
    return /^\d+$/.test(raw) && within(Number(raw), min, max) ? Number(raw) : new Refusal();
  });
}

type Measure = {
  unit: string;
  min: number;
  max: number | undefined;
  fallback: number | string | undefined;
  expected: string;
  fix: string;
  /** How much one `unit` is, in the smallest one. */
  own: bigint;
  spellings: Record<string, bigint>;
};

function measured(meaning: string, measure: Measure): Block<number> {
  const { unit, min, max, fallback, expected } = measure;
  const read = (raw: string) => {
    const value = amount(raw, measure);
    return value instanceof Refusal || within(value, min, max) ? value : new Refusal();
  };
  const value = fallback === undefined ? undefined : read(String(fallback));
  if (value instanceof Refusal)
    throw new RangeError(`the default of "${meaning}" must be ${expected}, got ${fallback}`);
  const meta = { description: meaning, expected, unit, ...(value !== undefined && { default: value }) };
  return block(meta, read);
}

/** Reckoned in whole numbers, since 1.1 s in floating point is no whole number of ms. */
function amount(raw: string, { unit, fix, own, spellings }: Measure): number | Refusal {
  const [, whole, fraction = '', spelling] = /^(\d{1,20})(?:\.(\d{1,12}))?([a-z]*)$/i.exec(raw) ?? [];
  if (whole === undefined) return new Refusal(/^-/.test(raw) ? undefined : fix);
  if (fraction && !spelling) return new Refusal(`write a whole number, or add the unit of the fraction`);
  const factor = spelling ? spellings[spelling] : own;
  if (factor === undefined) return new Refusal(fix);
  const scaled = BigInt(whole + fraction) * factor;
  const divisor = 10n ** BigInt(fraction.length) * own;
  if (scaled % divisor !== 0n) return new Refusal(`it is no whole number of ${unit}: round it`);
  const value = Number(scaled / divisor);
  return Number.isSafeInteger(value) ? value : new Refusal();
}
