import { FIXED_PORTS } from '../local/apps.ts';
import { fixedPorts } from '../stack/ports.ts';
import { s3Access } from '../stack/engines/s3.ts';

/** Where everything is: the documented ports of `npm start` and of `docker compose up`, or what the environment says. */
export function placesFrom(env: NodeJS.ProcessEnv = process.env) {
  const at = (variable: string, port: number) => env[variable] ?? `http://127.0.0.1:${port}`;
  return {
    orders: at('ORDERS_URL', FIXED_PORTS.orders),
    payments: at('PAYMENTS_URL', FIXED_PORTS.payments),
    notifications: at('NOTIFICATIONS_URL', FIXED_PORTS.notifications),
    gateway: at('GATEWAY_URL', FIXED_PORTS.gateway),
    issuer: at('ISSUER_URL', FIXED_PORTS.issuer),
    traces: at('TRACES_URL', FIXED_PORTS.traces),
    mail: at('MAIL_WEB_URL', fixedPorts.mailWeb),
    brokers: (env['KAFKA_BROKERS'] ?? `127.0.0.1:${fixedPorts.kafka}`).split(','),
    s3: {
      endpoint: at('S3_ENDPOINT', fixedPorts.s3),
      region: env['S3_REGION'] ?? s3Access.region,
      accessKeyId: env['S3_ACCESS_KEY_ID'] ?? s3Access.accessKeyId,
      secretAccessKey: env['S3_SECRET_ACCESS_KEY'] ?? s3Access.secretAccessKey,
      bucket: env['S3_BUCKET'] ?? 'cairn',
    },
  };
}

export type Places = ReturnType<typeof placesFrom>;
