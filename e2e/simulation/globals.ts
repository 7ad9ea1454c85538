import { seeded } from '@cairn/tools/chaos/random.ts';
import type { Kernel } from './kernel.ts';

/** What code takes from the platform that is not the same from run to run. */
type Replaced =
  'setTimeout' | 'clearTimeout' | 'setInterval' | 'clearInterval' | 'performance' | 'Date' | 'fetch';

/** A timer as the platform gives it, as far as anybody looks at it. */
class Timer {
  cancel: () => void = () => {};
  unref = () => this;
  ref = () => this;
}

/**
 * Puts the kernel's time, chance and network in the place of the platform's, and returns what puts those back. A timer
 * belongs to the process whose code sets it.
 */
export function replaceGlobals(kernel: Kernel, fetch: typeof globalThis.fetch): () => void {
  const RealDate = globalThis.Date;
  class VirtualDate extends RealDate {
    constructor(...parts: unknown[]) {
      // @ts-expect-error: whatever a Date takes
      super(...(parts.length === 0 ? [kernel.date().getTime()] : parts));
    }
    static override now = () => kernel.date().getTime();
  }
  const setTimeout = (callback: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    const timer = new Timer();
    timer.cancel = kernel.after(Math.max(1, ms), kernel.current, () => callback(...args));
    return timer;
  };
  const setInterval = (callback: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    const timer = new Timer();
    const owner = kernel.current;
    const again = () => {
      timer.cancel = kernel.after(Math.max(1, ms), owner, () => {
        again();
        callback(...args);
      });
    };
    again();
    return timer;
  };
  const clear = (timer: Timer | undefined) => timer?.cancel();
  const ours: Record<Replaced, unknown> = {
    setTimeout,
    setInterval,
    clearTimeout: clear,
    clearInterval: clear,
    performance: { now: () => kernel.now },
    Date: VirtualDate,
    fetch,
  };
  const { random } = Math;
  // A source of its own: how many ids are made must not change what happens.
  const ids = seeded(kernel.below(2 ** 31));
  const { getRandomValues } = crypto;
  const before = Object.fromEntries(
    Object.keys(ours).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)!]),
  );
  for (const [name, value] of Object.entries(ours)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  Math.random = kernel.random;
  crypto.getRandomValues = <T>(bytes: T): T => {
    for (let i = 0; i < (bytes as Uint8Array).length; i++) (bytes as Uint8Array)[i] = ids() * 256;
    return bytes;
  };
  return () => {
    Object.defineProperties(globalThis, before);
    Math.random = random;
    crypto.getRandomValues = getRandomValues;
  };
}
