import type { Config } from './config.ts';
import { job, type Job } from './job.ts';

/** The jobs of the system: when each is due, what becomes of missed ticks, and who does it. */
export function jobsOf(config: Config): Job[] {
  return [
    job('expire-unpaid-orders', config.EXPIRE_UNPAID_ORDERS, {
      missed: config.EXPIRE_UNPAID_ORDERS_MISSED,
      doneBy: ['orders'],
    }),
    job('reconcile-payments', config.RECONCILE_PAYMENTS, {
      missed: config.RECONCILE_PAYMENTS_MISSED,
      doneBy: ['payments'],
    }),
    job('clean-up', config.CLEAN_UP, {
      missed: config.CLEAN_UP_MISSED,
      doneBy: ['notifications', 'orders', 'payments'],
    }),
    job('close-sales-day', config.CLOSE_SALES_DAY, {
      missed: config.CLOSE_SALES_DAY_MISSED,
      doneBy: ['orders'],
    }),
  ];
}
