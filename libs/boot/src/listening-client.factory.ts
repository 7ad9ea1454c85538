import pg from 'pg';

/** A connection that only listens: not one of the pool, which would be one short. */
export function listeningClient(url: string, name: string): pg.Client {
  return new pg.Client({
    connectionString: url,
    application_name: `${name} outbox`,
    connectionTimeoutMillis: 3000,
    keepAlive: true,
  });
}
