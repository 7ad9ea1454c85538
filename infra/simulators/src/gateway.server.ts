import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { chargeRequestSchema, refundRequestSchema } from './charge.ts';
import { drawFate, faultsPatchSchema, faultsSchema, noFaults } from './faults.ts';
import type { Fate, Faults } from './faults.ts';
import { Gateway } from './gateway.ts';
import { createServer } from './http.server.ts';
import type { LogOptions } from './http.server.ts';
import type { FileJournal } from './journal.file.ts';
import type { Ledger, LedgerFilter } from './ledger.ts';
import { gatewayPage } from './page.ts';
import { parse, Problem } from './problem.ts';
import type { Random } from './random.ts';

export type GatewayServerOptions = LogOptions & { apiKey: string; journal: FileJournal; random: Random };
/** Calls of `/v1` being worked on, and calls that were left without an answer on purpose. */
type Load = { inFlight: number; hung: number };
type Work = (fate: Fate, pause: () => Promise<void>) => unknown;

const idempotencyKeySchema = z.string().min(1).max(255);
const byKeySchema = z.strictObject({ idempotencyKey: idempotencyKeySchema });
const listSchema = z.strictObject({
  createdAfter: z.iso
    .datetime({ offset: true })
    .transform((time) => new Date(time))
    .optional(),
  startingAfter: z.string().min(1).max(100).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(100),
});
const byIdSchema = z.object({ id: z.string() });
const since = z.iso
  .datetime({ offset: true })
  .transform((time) => new Date(time))
  .optional();
const references = z.array(z.string()).transform((list) => new Set(list));
const ledgerQuerySchema = z.strictObject({
  since,
  references: z
    .string()
    .transform((list) => list.split(','))
    .pipe(references)
    .optional(),
});
const ledgerBodySchema = z.strictObject({ since, references });

export function createGatewayServer({
  apiKey,
  journal,
  random,
  logLevel,
}: GatewayServerOptions): FastifyInstance {
  const app = createServer('payment-gateway', { logLevel });
  const gateway = new Gateway({ journal, past: journal.past });
  const load: Load = { inFlight: 0, hung: 0 };
  const stopping = new AbortController();
  let faults: Faults = noFaults;

  /** Every call of `/v1`, a question as well as a charge, meets the faults that are switched on. */
  async function underFaults(reply: FastifyReply, work: Work): Promise<unknown> {
    const fate = drawFate(faults, random);
    load.inFlight += 1;
    try {
      if (fate.before === 'rate-limit') throw new Problem('rate_limited');
      if (fate.before === 'error')
        throw new Problem('unavailable', 'Unavailable, nothing happened (injected fault)');
      if (fate.before === 'hang') return hang(reply, load);
      return await work(fate, () => pause(fate.delayMs, stopping.signal));
    } finally {
      load.inFlight -= 1;
    }
  }

  const ask = (reply: FastifyReply, answer: () => unknown): Promise<unknown> =>
    underFaults(reply, async (_fate, pause) => {
      await pause();
      return answer();
    });

  const ledger = (filter: LedgerFilter): Ledger & Load => ({ ...gateway.ledger(filter), ...load });

  app.register(async (v1) => {
    v1.addHook('onRequest', async ({ headers }) => {
      if (headers.authorization !== `Bearer ${apiKey}`) throw new Problem('unauthorized');
    });

    v1.post('/v1/charges', (request, reply) =>
      underFaults(reply, async (fate, pause) => {
        const body = parse(chargeRequestSchema, request.body);
        const done = await gateway.charge(keyOf(request), body, { pause, forceDecline: fate.forceDecline });
        return afterwards(
          fate,
          reply,
          load,
          done.replayed,
          done.result.status === 'declined' ? 402 : 201,
          done.result,
        );
      }),
    );
    v1.post('/v1/refunds', (request, reply) =>
      underFaults(reply, async (fate, pause) => {
        const body = parse(refundRequestSchema, request.body);
        const done = await gateway.refund(keyOf(request), body, { pause, refuseRefund: fate.refuseRefund });
        return afterwards(fate, reply, load, done.replayed, 201, done.result);
      }),
    );
    v1.get('/v1/charges', (request, reply) =>
      ask(reply, () => {
        const { query } = request;
        if (!Object.hasOwn(query as object, 'idempotencyKey'))
          return gateway.listCharges(parse(listSchema, query));
        return { charge: gateway.findChargeByKey(parse(byKeySchema, query).idempotencyKey) };
      }),
    );
    v1.get('/v1/charges/:id', (request, reply) =>
      ask(reply, () => gateway.findCharge(parse(byIdSchema, request.params).id)),
    );
    v1.get('/v1/refunds', (request, reply) =>
      ask(reply, () => ({
        refund: gateway.findRefundByKey(parse(byKeySchema, request.query).idempotencyKey),
      })),
    );
  });

  app.get('/admin/faults', () => faults);
  app.put('/admin/faults', ({ body }) => (faults = parse(faultsSchema, body)));
  app.patch('/admin/faults', ({ body }) => (faults = { ...faults, ...parse(faultsPatchSchema, body) }));
  app.delete('/admin/faults', () => (faults = noFaults));

  app.get('/admin/ledger', ({ query }) => ledger(parse(ledgerQuerySchema, query)));
  app.post('/admin/ledger', ({ body }) => ledger(parse(ledgerBodySchema, body)));
  app.delete('/admin/ledger', () => {
    gateway.reset();
    return ledger({});
  });

  app.get('/', (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(gatewayPage(faults, ledger({}))),
  );

  app.addHook('preClose', async () => stopping.abort());
  app.addHook('onClose', async () => journal.close());
  if (journal.tornBytes > 0)
    app.log.warn({ bytes: journal.tornBytes }, 'cut a torn last line off the journal');
  return app;
}

function keyOf(request: FastifyRequest): string {
  const key = idempotencyKeySchema.safeParse(request.headers['idempotency-key']);
  if (!key.success)
    throw new Problem('missing_idempotency_key', 'Idempotency-Key must have 1 to 255 characters');
  return key.data;
}

/** The work is done and kept; what is still open is whether the caller gets to know. */
function afterwards(
  fate: Fate,
  reply: FastifyReply,
  load: Load,
  replayed: boolean,
  status: number,
  result: unknown,
): unknown {
  if (fate.after === 'error') throw new Problem('failed_after_capture');
  if (fate.after === 'hang') return hang(reply, load);
  if (replayed) reply.header('idempotency-replayed', 'true');
  reply.code(status);
  return result;
}

function hang(reply: FastifyReply, load: Load): FastifyReply {
  reply.hijack();
  if (reply.raw.destroyed) return reply;
  load.hung += 1;
  reply.raw.once('close', () => (load.hung -= 1));
  return reply;
}

async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  if (delayMs === 0) return;
  try {
    await sleep(delayMs, undefined, { signal });
  } catch {
    throw new Problem('unavailable', 'The simulator is stopping, nothing happened');
  }
}
