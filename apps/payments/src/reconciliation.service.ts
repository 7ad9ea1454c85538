import type { Config } from './config.ts';
import type { GatewayClient } from './gateway.client.ts';
import { tellAgain, type Payment } from './payment.ts';
import type { PaymentsRepository } from './payments.repository.ts';
import type { PaymentsService } from './payments.service.ts';
import {
  count,
  dueAt,
  findingOf,
  findingOfCharge,
  type Charge,
  type Finding,
  type Outcome,
  type Round,
} from './reconciliation.ts';

/** One finding and what came of it, as it is logged. */
export type Found = {
  finding: Finding;
  outcome: Outcome;
  paymentId?: string;
  orderId?: string;
  chargeId?: string;
  error?: unknown;
};

type Options = {
  settings: Pick<Config, 'RECONCILE_AFTER_S' | 'RECONCILE_WINDOW_S' | 'RECONCILE_TELL_AGAIN_S'>;
  onFound?: (found: Found) => void;
  /** The gateway stopped listing its charges midway. */
  onIncomplete?: (error: unknown) => void;
  now?: () => Date;
};

/** Rows at a time. */
const PAGE = 100;

/**
 * Compares the books of the gateway, of payments and of orders, repairs what can be repaired and reports the rest. Nothing is
 * guessed: what is not known is asked, what is asked and not answered is left for the next round. Safe to repeat, and
 * to run in several processes at once.
 */
export class ReconciliationService {
  readonly #now: () => Date;

  constructor(
    private readonly books: PaymentsRepository,
    private readonly gateway: GatewayClient,
    private readonly payments: PaymentsService,
    private readonly options: Options,
  ) {
    this.#now = options.now ?? (() => new Date());
  }

  /**
   * One round over everything. `since` is how far back the gateway's charges are compared; default: the window of the settings.
   * A finding that cannot be dealt with now ends nothing.
   * @throws when the own database does not answer, or `signal` aborts
   */
  async run({ since, signal }: { since?: Date; signal?: AbortSignal } = {}): Promise<Round> {
    const round: Round = { payments: 0, charges: 0, found: {}, complete: true };
    await this.#ownBooks(round, signal);
    await this.#gatewaysBooks(round, since ?? this.#before('RECONCILE_WINDOW_S'), signal);
    return round;
  }

  /** Payments that are not finished, or whose order does not say what they say. */
  async #ownBooks(round: Round, signal?: AbortSignal): Promise<void> {
    const before = this.#before('RECONCILE_AFTER_S');
    let page: Payment[];
    let after: string | undefined;
    do {
      page = await this.books.unfinished(before, PAGE, after);
      for (const payment of page) {
        const finding = findingOf(payment);
        if (finding) await this.#deal(round, finding, { payment }, signal);
      }
      round.payments += page.length;
      after = page.at(-1)?.id;
    } while (page.length === PAGE);
  }

  /** Charges of the gateway, and the payments that their keys name. */
  async #gatewaysBooks(round: Round, createdAfter: Date, signal?: AbortSignal): Promise<void> {
    const list = this.gateway.charges({ createdAfter, limit: PAGE }, signal);
    for (;;) {
      let charges: Charge[] | undefined;
      try {
        charges = (await list.next()).value;
      } catch (error) {
        signal?.throwIfAborted();
        this.options.onIncomplete?.(error);
        round.complete = false;
        return;
      }
      if (!charges) return;
      // Read after the charges: a payment is there before it is charged.
      const known = await this.books.byIds(charges.map(({ idempotencyKey }) => idempotencyKey));
      for (const charge of charges) {
        const payment = known.get(charge.idempotencyKey);
        const finding = findingOfCharge(charge, payment);
        if (finding) await this.#deal(round, finding, { payment, charge }, signal);
      }
      round.charges += charges.length;
    }
  }

  async #deal(
    round: Round,
    finding: Finding,
    about: { payment?: Payment | undefined; charge?: Charge },
    signal?: AbortSignal,
  ): Promise<void> {
    const { payment, charge } = about;
    const found = { finding, paymentId: payment?.id, orderId: payment?.orderId, chargeId: charge?.id };
    try {
      const outcome = await this.#repair(finding, about, signal);
      if (!outcome) return;
      count(round, finding, outcome);
      this.options.onFound?.({ ...found, outcome } as Found);
    } catch (error) {
      signal?.throwIfAborted();
      count(round, finding, 'failed');
      this.options.onFound?.({ ...found, outcome: 'failed', error } as Found);
    }
  }

  /** Undefined when there was nothing to it: the two sides were read at two moments. */
  async #repair(
    finding: Finding,
    { payment, charge }: { payment?: Payment | undefined; charge?: Charge },
    signal?: AbortSignal,
  ): Promise<Outcome | undefined> {
    switch (finding) {
      case 'outcome_unknown':
        return (await this.payments.ask(payment!, signal)).state === 'charging' ? 'waiting' : 'repaired';
      case 'refund_pending':
        if (!this.#isDue(payment!)) return 'waiting';
        return refunded(await this.payments.refund(payment!, signal));
      case 'refund_missing':
        return refunded(await this.payments.giveBackCharge(payment!, chargeOf(payment!), signal));
      case 'charged_but_failed':
        return refunded(await this.payments.giveBackCharge(payment!, charge!.id, signal));
      case 'order_not_told':
        return this.#isDue(payment!) ? this.#tellAgain(payment!) : 'waiting';
      case 'charge_differs':
        return (await this.#stillDiffers(charge!, signal)) ? 'reported' : undefined;
      default:
        return 'reported';
    }
  }

  async #tellAgain({ id }: Payment): Promise<Outcome> {
    const now = this.#now();
    // Under the lock: orders may have moved since the page was read.
    const told = await this.books.update(
      id,
      (p) => (findingOf(p) === 'order_not_told' ? tellAgain(p, now) : undefined),
      { now },
    );
    return told ? 'repaired' : 'waiting';
  }

  async #stillDiffers({ idempotencyKey }: Charge, signal?: AbortSignal): Promise<boolean> {
    const payment = (await this.books.byIds([idempotencyKey])).get(idempotencyKey);
    const charge = await this.gateway.read(idempotencyKey, signal);
    return charge !== undefined && findingOfCharge(charge, payment) === 'charge_differs';
  }

  #isDue(payment: Payment): boolean {
    const tellAgainMs = this.options.settings.RECONCILE_TELL_AGAIN_S * 1000;
    return dueAt(payment, { tellAgainMs }) <= this.#now();
  }

  #before(setting: 'RECONCILE_AFTER_S' | 'RECONCILE_WINDOW_S'): Date {
    return new Date(this.#now().getTime() - this.options.settings[setting] * 1000);
  }
}

const refunded = ({ state }: Payment): Outcome => (state === 'refunded' ? 'repaired' : 'failed');
const chargeOf = (payment: Payment) => ('chargeId' in payment ? payment.chargeId : '');
