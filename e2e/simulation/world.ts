import type { MemoryBroker } from './broker.memory.ts';
import type { Bug } from './bugs.ts';
import type { Database } from './database.ts';
import type { Draft } from '@cairn/orders/src/order.ts';
import type { MemoryGateway } from './gateway.memory.ts';
import type { Kernel } from './kernel.ts';
import type { Network } from './network.ts';

/** What all processes share: the engines, and what lies between. */
export type World = {
  kernel: Kernel;
  network: Network;
  broker: MemoryBroker;
  gateway: MemoryGateway;
  orders: Database;
  payments: Database;
  drafts: Map<string, { draft: Draft; expiresAt: Date }>;
  /** Events that handlers fail on with a TypeError, until somebody mends them. */
  poisoned: Set<string>;
  bug: Bug | undefined;
};

/** Shorter than in production, so that minutes of it fit into a run. */
export const SETTINGS = {
  DRAFT_TTL_S: 3600,
  ORDER_EXPIRES_AFTER_S: 9,
  RECONCILE_AFTER_S: 4,
  RECONCILE_WINDOW_S: 3600,
  RECONCILE_TELL_AGAIN_S: 15,
  INBOX_KEEP_DAYS: 14,
  IDEMPOTENCY_KEEP_DAYS: 7,
};
