/**
 * Mistakes that others have made, planted one at a time: each takes a guard out of the system under test. The audit must catch
 * every one of them, or it would not have caught ours.
 */
export const BUGS = {
  'no-inbox': 'a handler does not ask whether it has handled the message before',
  'inbox-first': 'the inbox row is committed before the effect, in a transaction of its own',
  'no-row-lock': 'the aggregate is read without FOR UPDATE',
  'no-idempotency-key': 'confirming claims neither the key nor the draft',
  'dual-write': 'events go to the outbox after the commit, not in the transaction',
  'skip-locked': 'two relays share the rows out, as SELECT … FOR UPDATE SKIP LOCKED does',
  'no-epoch': 'a relay deletes without asking whether the lease is still its own',
  'delete-first': 'a relay deletes before the broker has acknowledged',
  'lost-ack':
    'the producer takes a lost request for an acknowledged one, as kafkajs does when idempotent and concurrent',
  'commit-first': 'the consumer commits the offset before the effect',
  'no-hold': 'an event that comes before its predecessor is handled all the same',
  'key-per-attempt': 'each attempt at a charge has an idempotency key of its own',
  'guess-on-unknown': 'a charge without an answer counts as declined',
  'refund-per-attempt': 'each attempt at a refund has an idempotency key of its own',
  'expire-any-state': 'orders expire by their age, whatever their state',
  'late-success-kept': 'a payment that lands after its order was cancelled is not given back',
} as const;

export type Bug = keyof typeof BUGS;
