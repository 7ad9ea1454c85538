import type { Bug } from './bugs.ts';
import type { Kernel } from './kernel.ts';

export type Charge = {
  id: string;
  idempotencyKey: string;
  status: 'succeeded' | 'declined';
  declineCode?: string;
  amount: number;
  currency: string;
  reference: string;
  refundedAmount: number;
  createdAt: string;
};

type Refund = { id: string; chargeId: string; amount: number };
type Answer = { status: number; body: object; headers?: Record<string, string> };
type Request = { method: string; path: URL; key: string | null; body: Record<string, unknown> };

/** How often the gateway fails by itself: before it acts, and after. */
export type GatewayFaults = { before: number; after: number };

/** A card processor: charges and refunds, each once per idempotency key, and it fails like one. */
export class MemoryGateway {
  readonly #kernel: Kernel;
  readonly #faults: () => GatewayFaults;
  readonly #checksRefunds: boolean;
  readonly charges = new Map<string, Charge>();
  readonly refunds = new Map<string, Refund>();
  /** Keys of charges that are being decided on. */
  readonly #inFlight = new Set<string>();

  constructor(kernel: Kernel, faults: () => GatewayFaults, bug?: Bug) {
    this.#kernel = kernel;
    this.#faults = faults;
    // With it, two refunds of one charge must show in the books: not every gateway refuses the second.
    this.#checksRefunds = bug !== 'refund-per-attempt';
  }

  async answer(request: Request): Promise<Answer> {
    const { before, after } = this.#faults();
    if (this.#kernel.chance(before))
      return { status: this.#kernel.pick([503, 429]), body: {}, headers: { 'retry-after': '1' } };
    const answer = await this.#route(request);
    if (this.#kernel.chance(after)) return { status: 500, body: {} };
    return answer;
  }

  #route({ method, path, key, body }: Request): Answer | Promise<Answer> {
    const route = `${method} ${path.pathname}`;
    if (route === 'POST /v1/charges') return this.#charge(key!, body);
    if (route === 'POST /v1/refunds') return this.#refund(key!, body);
    if (route === 'GET /v1/charges') {
      const wanted = path.searchParams.get('idempotencyKey');
      return wanted === null ? this.#list(path.searchParams) : this.#find(wanted);
    }
    if (method === 'GET' && path.pathname.startsWith('/v1/charges/'))
      return this.#byId(path.pathname.split('/').at(-1)!);
    throw new Error(`the simulated gateway has no ${route}: teach it in gateway.memory.ts`);
  }

  async #charge(key: string, body: Record<string, unknown>): Promise<Answer> {
    const known = this.charges.get(key);
    if (known) return answerOf(known);
    if (this.#inFlight.has(key)) return BUSY;
    this.#inFlight.add(key);
    await this.#kernel.sleep(this.#kernel.between(1, 300), undefined);
    this.#inFlight.delete(key);
    const { amount, currency, reference, cardToken } = body as Record<
      'currency' | 'reference' | 'cardToken',
      string
    > & {
      amount: number;
    };
    const declined = cardToken === 'tok_chargeDeclined';
    const charge: Charge = {
      id: `ch_${this.charges.size + 1}`,
      idempotencyKey: key,
      status: declined ? 'declined' : 'succeeded',
      ...(declined && { declineCode: 'generic_decline' }),
      amount,
      currency,
      reference,
      refundedAmount: 0,
      createdAt: this.#kernel.date().toISOString(),
    };
    this.charges.set(key, charge);
    this.#kernel.say(`gateway: ${charge.status} ${amount} for ${reference}`);
    return answerOf(charge);
  }

  #refund(key: string, body: Record<string, unknown>): Answer {
    const known = this.refunds.get(key);
    if (known) return { status: 201, body: known };
    const charge = this.#made(body['chargeId']);
    if (!charge) return { status: 404, body: { code: 'charge_not_found' } };
    const rest = charge.status === 'succeeded' ? charge.amount - charge.refundedAmount : 0;
    if (rest <= 0 && this.#checksRefunds) return { status: 422, body: { code: 'refund_exceeds_charge' } };
    const { amount } = charge;
    const refund = { id: `re_${this.refunds.size + 1}`, chargeId: charge.id, amount };
    this.refunds.set(key, refund);
    this.charges.set(charge.idempotencyKey, { ...charge, refundedAmount: charge.refundedAmount + amount });
    this.#kernel.say(`gateway: refunds ${amount} of ${charge.reference}`);
    return { status: 201, body: refund };
  }

  #find(key: string): Answer {
    if (this.#inFlight.has(key)) return BUSY;
    const charge = this.charges.get(key);
    return charge ? { status: 200, body: { charge } } : { status: 404, body: { code: 'charge_not_found' } };
  }

  #byId(id: string): Answer {
    const charge = this.#made(id);
    return charge ? { status: 200, body: charge } : { status: 404, body: { code: 'charge_not_found' } };
  }

  #made(chargeId: unknown): Charge | undefined {
    return [...this.charges.values()].find(({ id }) => id === chargeId);
  }

  #list(query: URLSearchParams): Answer {
    const after = query.get('createdAfter') ?? '';
    const all = [...this.charges.values()].filter(({ createdAt }) => createdAt > after);
    const start = all.findIndex(({ id }) => id === query.get('startingAfter')) + 1;
    const limit = Number(query.get('limit') ?? 100);
    return {
      status: 200,
      body: { charges: all.slice(start, start + limit), hasMore: all.length > start + limit },
    };
  }
}

const BUSY: Answer = { status: 409, body: { code: 'in_flight' }, headers: { 'retry-after': '1' } };

const answerOf = (charge: Charge): Answer => ({
  status: charge.status === 'declined' ? 402 : 201,
  body: charge,
});
