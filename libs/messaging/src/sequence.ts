import type { Event } from './event.ts';

/** Where a message stands in the broker. */
export type Place = { topic: string; partition: number; offset: string };

/** What is needed of an event to know its turn. */
export type Numbered = Pick<Event, 'source' | 'subject' | 'sequence'>;

/** An event that came too early, and where it came from. */
export type HeldEvent = Place & { event: Event };

/** Held events of one subject, and the number that they wait for. */
export type HeldKey = {
  source: string;
  subject: string;
  topic: string;
  /** The number that is missing. */
  waitsFor: number;
  /** How many wait. */
  count: number;
  /** When the first of them came. */
  since: Date;
};

/**
 * - `next`: it is its turn;
 * - `old`: its number was applied before, so it is a double, or it was dropped;
 * - `held`: one before it is missing; it is kept until that one has come.
 */
export type Turn = 'next' | 'old' | 'held';

/**
 * Remembers by consumer, source and subject which event was applied last, and keeps those that came too early. Each step
 * may be repeated, and a process may die between any two of them: the message is committed after all of them.
 */
export type SequenceStore = {
  /** Tells whose turn it is, and keeps the event when it is not its own. */
  admit(consumer: string, event: Event, place: Place): Promise<Turn>;
  /** To be called when the event's effect is committed. Returns the one that waited for it, whose turn it is now. */
  applied(consumer: string, event: Numbered): Promise<HeldEvent | undefined>;
  /**
   * Gives up on the event whose turn it is, and returns the one that waited for it.
   * @throws when it is not its turn yet
   */
  skip(consumer: string, event: Numbered): Promise<HeldEvent | undefined>;
  /** What waits, oldest first. */
  held(consumer: string): Promise<HeldKey[]>;
};
