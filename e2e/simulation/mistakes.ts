import { cancel } from '@cairn/orders/src/order.ts';
import type { OrdersRepository } from '@cairn/orders/src/orders.repository.ts';
import type { OrdersService } from '@cairn/orders/src/orders.service.ts';
import type { GatewayClient } from '@cairn/payments/src/gateway.client.ts';
import type { PaymentsRepository } from '@cairn/payments/src/payments.repository.ts';
import type { PaymentsService } from '@cairn/payments/src/payments.service.ts';
import { SETTINGS, type World } from './world.ts';

/** The bugs that belong into the services: each takes the place of one method. Without a bug, nothing is replaced. */
export function misleadOrders(
  service: OrdersService,
  orders: OrdersRepository,
  { bug, kernel }: World,
): void {
  if (bug !== 'expire-any-state') return;
  service.expireUnpaid = async () => {
    const now = kernel.date();
    const before = new Date(now.getTime() - SETTINGS.ORDER_EXPIRES_AFTER_S * 1000);
    const ids = await orders.pendingSince(before, 100);
    for (const id of ids) {
      const isOver = (state: string) => state !== 'pending' && state !== 'paid';
      await orders.update(id, (order) => (isOver(order.state) ? undefined : cancel(order, 'expired', now)), {
        now,
      });
    }
    return ids.length;
  };
}

export function misleadGateway(gateway: GatewayClient, { bug }: World): void {
  if (bug !== 'guess-on-unknown') return;
  const charge = gateway.charge.bind(gateway);
  gateway.charge = (...call) => charge(...call).catch(() => ({ charged: false, reason: 'no answer' }));
}

export function misleadPayments(
  service: PaymentsService,
  payments: PaymentsRepository,
  { bug, kernel }: World,
): void {
  if (bug !== 'late-success-kept') return;
  const giveBack = service.giveBack.bind(service) as (...call: unknown[]) => Promise<void>;
  service.giveBack = async (...call: unknown[]) => {
    const { orderId } = call.find(
      (each) => typeof each === 'object' && each !== null && 'orderId' in each,
    ) as {
      orderId: string;
    };
    const payment = await payments.ofOrder(orderId);
    const age = kernel.date().getTime() - (payment?.createdAt.getTime() ?? 0);
    if (payment?.state !== 'succeeded' || age < SETTINGS.ORDER_EXPIRES_AFTER_S * 1000)
      await giveBack(...call);
  };
}
