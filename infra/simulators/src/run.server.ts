import type { FastifyInstance } from 'fastify';

export type Listener = { app: FastifyInstance; host: string; port: number };

/** How long closing may take before the process leaves with 1; hung requests are cut, so it takes a few milliseconds. */
const deadlineMs = 2000;

/** Listens on all, and closes all on SIGTERM or SIGINT; the process then ends by itself, as nothing holds it. */
export async function runUntilSignal(listeners: Listener[]): Promise<void> {
  const stop = async (): Promise<void> => {
    setTimeout(() => process.exit(1), deadlineMs).unref();
    await Promise.all(listeners.map(({ app }) => app.close()));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop());
  await Promise.all(listeners.map(({ app, host, port }) => app.listen({ host, port })));
}
