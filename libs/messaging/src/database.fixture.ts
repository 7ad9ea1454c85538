import { randomUUID } from 'node:crypto';
import pg from 'pg';

/** A database of a spec's own, with these tables, on the real PostgreSQL that `npm test` starts. */
export function ownDatabase(prefix: string, tables: string) {
  const postgresUrl = process.env['POSTGRES_URL'];
  if (!postgresUrl) throw new Error('POSTGRES_URL is not set; "npm test" sets it');
  const name = `${prefix}_${randomUUID().replaceAll('-', '')}`;
  const url = Object.assign(new URL(postgresUrl), { pathname: `/${name}` }).href;
  const db = new pg.Pool({ connectionString: url, max: 10 });
  const onServer = async (sql: string) => {
    const server = new pg.Client({ connectionString: postgresUrl });
    await server.connect();
    await server.query(sql).finally(() => server.end());
  };
  return {
    db,
    url,
    /** Resolves once some statement in it waits for the lock of another. */
    somebodyWaits: async () => {
      const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      while ((await db.query(waiting)).rowCount === 0);
    },
    open: async () => {
      await onServer(`CREATE DATABASE ${name}`);
      await db.query(tables);
    },
    /** Fails when somebody has left a connection open. */
    close: async () => {
      await db.end();
      await onServer(`DROP DATABASE ${name}`);
    },
  };
}
