import { Redis } from 'ioredis';
import type { Draft } from './order.ts';

export type SavedDraft = { draft: Draft; expiresAt: Date };

/** Drafts in Redis: any replica can serve them, and they vanish by themselves. Losing one loses a basket, not money. */
export class DraftsStore {
  constructor(private readonly redis: Redis) {}

  /** Saves the draft and starts its time to live anew. */
  async save(customerId: string, draft: Draft, ttlS: number, now: Date): Promise<SavedDraft> {
    await this.redis.set(keyOf(customerId, draft.id), JSON.stringify(draft), 'EX', ttlS);
    return { draft, expiresAt: new Date(now.getTime() + ttlS * 1000) };
  }

  async find(customerId: string, id: string, now: Date): Promise<SavedDraft | undefined> {
    const key = keyOf(customerId, id);
    const [[, text], [, ttlMs]] = (await this.redis.multi().get(key).pttl(key).exec()) as [
      [unknown, string | null],
      [unknown, number],
    ];
    if (text === null) return undefined;
    return { draft: JSON.parse(text) as Draft, expiresAt: new Date(now.getTime() + ttlMs) };
  }

  async delete(customerId: string, id: string): Promise<boolean> {
    return (await this.redis.del(keyOf(customerId, id))) === 1;
  }
}

/** The customer is part of the key: nobody can name another's draft. */
function keyOf(customerId: string, id: string): string {
  return `draft:${encodeURIComponent(customerId)}:${id}`;
}
