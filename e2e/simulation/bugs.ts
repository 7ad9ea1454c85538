/** What a mistake leads to: the audit's word for it, which its line begins with. */
export type Consequence = 'stuck' | 'money' | 'customer' | 'lost' | 'order' | 'twice' | 'life';

type Planted = { mistake: string; leadsTo: Consequence };

/**
 * Mistakes that others have made, planted one at a time: each takes a guard out of the system under test. The audit must catch
 * every one of them by what it leads to, in a seed that is clean without it, or it would not have caught ours.
 */
export const BUGS = {
  'no-inbox': {
    mistake: 'a handler does not ask whether it has handled the message before',
    leadsTo: 'twice',
  },
  'no-row-lock': { mistake: 'the aggregate is read without FOR UPDATE', leadsTo: 'order' },
  'no-idempotency-key': { mistake: 'confirming claims neither the key nor the draft', leadsTo: 'customer' },
  'dual-write': {
    mistake: 'events go to the outbox after the commit, not in the transaction',
    leadsTo: 'order',
  },
  'skip-locked': {
    mistake: 'two relays share the rows out, as SELECT … FOR UPDATE SKIP LOCKED does',
    leadsTo: 'order',
  },
  'delete-first': { mistake: 'a relay deletes before the broker has acknowledged', leadsTo: 'lost' },
  'lost-ack': {
    mistake:
      'the producer takes a lost request for an acknowledged one, as kafkajs does when idempotent and concurrent',
    leadsTo: 'lost',
  },
  'commit-first': { mistake: 'the consumer commits the offset before the effect', leadsTo: 'stuck' },
  'no-hold': {
    mistake: 'an event that comes before its predecessor is handled all the same',
    leadsTo: 'order',
  },
  'key-per-attempt': {
    mistake: 'each attempt at a charge has an idempotency key of its own',
    leadsTo: 'money',
  },
  'guess-on-unknown': { mistake: 'a charge without an answer counts as declined', leadsTo: 'money' },
  'refund-per-attempt': {
    mistake: 'each attempt at a refund has an idempotency key of its own',
    leadsTo: 'money',
  },
  'expire-any-state': { mistake: 'orders expire by their age, whatever their state', leadsTo: 'life' },
  'late-success-kept': {
    mistake: 'a payment that lands after its order was cancelled is not given back',
    leadsTo: 'money',
  },
} as const satisfies Record<string, Planted>;

export type Bug = keyof typeof BUGS;
