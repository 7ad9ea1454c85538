import { setTimeout as delay } from 'node:timers/promises';
import type { Intent } from '../audit/audit-books.ts';
import { uuidOf } from '../random.ts';
import type { Journey } from './soak-plan.ts';

const REPLY_TIMEOUT_MS = 5000;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 2000;

export type ShopperOptions = {
  /** URLs of the replicas of orders. A retry goes to the next one. */
  doors: string[];
  tokenOf: (customer: string) => string;
  /** Between 0 and 1; for the back-off. */
  random: () => number;
  /** Ends all waiting: what has no answer by then is told as it stands. */
  signal: AbortSignal;
  /** Sends each try under a new key, for a new copy of the draft: a client that knows nothing of idempotency. */
  naive?: boolean;
  tally: Tally;
};

/** What the shoppers have seen so far, all together. */
export type Tally = {
  begun: number;
  accepted: number;
  refused: number;
  retries: number;
  draftsLost: number;
  cancelled: number;
};
export const newTally = (): Tally => ({
  ...{ begun: 0, accepted: 0, refused: 0, retries: 0, draftsLost: 0, cancelled: 0 },
});

type Reply = { status: number; text: string };
type Confirmed = { orderId?: string; text: string; refusal?: string };

/**
 * A customer who wants one order, and sends the same request under the same key until there is an answer. Never rejects:
 * what was said is in the intent.
 */
export class Shopper {
  readonly #journey: Journey;
  readonly #options: ShopperOptions;
  readonly #drafts: string[] = [];
  #door: number;

  constructor(journey: Journey, options: ShopperOptions, door: number) {
    this.#journey = journey;
    this.#options = options;
    this.#door = door;
  }

  async shop(): Promise<Intent> {
    const { id, customer, currency, total, cardIsGood, twice, cancelAfterMs } = this.#journey;
    const { tally } = this.#options;
    tally.begun++;
    const confirmed = await Promise.all([this.#confirm(), ...(twice ? [this.#confirm()] : [])]);
    const replies = confirmed.filter(({ orderId }) => orderId !== undefined);
    const accepted = [...new Set(replies.map(({ orderId }) => orderId!))];
    const refusal = confirmed.find((one) => one.refusal !== undefined)?.refusal;
    if (accepted.length > 0) tally.accepted++;
    else tally.refused++;
    let cancelled = false;
    if (cancelAfterMs !== undefined && accepted[0] !== undefined) {
      await this.#wait(cancelAfterMs);
      cancelled = (await this.#send('POST', `/api/v1/orders/${accepted[0]}/cancel`)).status === 200;
      if (cancelled) tally.cancelled++;
    }
    return {
      ...{ id, customer, drafts: this.#drafts, currency, total, cardIsGood, accepted, cancelled },
      otherReplies: replies.filter(({ text }) => text !== replies[0]!.text).length,
      ...(accepted.length === 0 && { refusal: refusal ?? 'nothing' }),
    };
  }

  async #confirm(): Promise<Confirmed> {
    const { naive, signal, tally, random } = this.#options;
    const { cardToken } = this.#journey;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const key = naive ? `${this.#journey.key}-${uuidOf(random)}` : this.#journey.key;
      const draftId = naive ? uuidOf(random) : this.#journey.draftId;
      const saved = await this.#save(draftId);
      // 409: it is confirmed already, by a try whose answer was lost. Its key has the answer.
      if (saved.status !== 200 && saved.status !== 409) return refusedBy('the draft', saved);
      const body = JSON.stringify({ draftId, cardToken });
      const reply = await this.#send('POST', '/api/v1/orders', { body, key }, naive ? 1 : Infinity);
      if (reply.status === 201)
        return { orderId: (JSON.parse(reply.text) as { id: string }).id, text: reply.text };
      // A naive client has no way to ask what became of its request: it begins anew.
      if (naive && isWorthATry(reply)) continue;
      if (reply.status !== 404) return refusedBy('the confirmation', reply);
      // Redis has lost it. A draft is a basket and not an order: it is saved once more.
      tally.draftsLost++;
    }
    return { text: '', refusal: 'no answer in time' };
  }

  #save(draftId: string): Promise<Reply> {
    const { email, currency, lines } = this.#journey;
    if (!this.#drafts.includes(draftId)) this.#drafts.push(draftId);
    return this.#send('PUT', `/api/v1/drafts/${draftId}`, {
      body: JSON.stringify({ email, currency, lines }),
    });
  }

  /** Sends it until it is answered by something else than "not now", at most `tries` times. */
  async #send(
    method: string,
    path: string,
    { body, key }: { body?: string; key?: string } = {},
    tries = Infinity,
  ): Promise<Reply> {
    const { doors, tokenOf, signal, random, tally } = this.#options;
    const headers = {
      authorization: `Bearer ${tokenOf(this.#journey.customer)}`,
      'x-correlation-id': this.#journey.id,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(key !== undefined && { 'idempotency-key': key }),
    };
    let reply: Reply = { status: 0, text: '' };
    for (let attempt = 0; attempt < tries && !signal.aborted; attempt++) {
      if (attempt > 0) {
        tally.retries++;
        await this.#wait(
          Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt) * (0.5 + random() / 2),
        );
      }
      const url = doors[this.#door++ % doors.length]! + path;
      reply = await ask(url, { method, headers, body, signal: AbortSignal.timeout(REPLY_TIMEOUT_MS) });
      if (!isWorthATry(reply)) return reply;
    }
    return reply;
  }

  #wait(ms: number): Promise<void> {
    // Told to give up: whoever waits looks at the signal next.
    return delay(ms, undefined, { signal: this.#options.signal }).catch(() => undefined);
  }
}

/** Status 0: no answer, for whatever reason. */
async function ask(url: string, init: RequestInit): Promise<Reply> {
  try {
    const response = await fetch(url, init);
    return { status: response.status, text: await response.text() };
  } catch (error) {
    return { status: 0, text: (error as Error).message };
  }
}

/** Nobody knows, not now, or the first try is still at it (409 with this code): the same request again. */
function isWorthATry({ status, text }: Reply): boolean {
  if (status === 409) return text.includes('idempotency_key_in_flight');
  return status === 0 || status === 429 || status >= 500;
}

const refusedBy = (what: string, { status, text }: Reply): Confirmed => ({
  text,
  refusal: status === 0 ? `no answer to ${what}: ${text}` : `${status} to ${what}: ${text.slice(0, 200)}`,
});
