import pg from 'pg';

/** Creates the databases that are missing. A database is the platform's to give; what is in it is the service's. */
export async function ensureDatabases(postgresUrl: string, names: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl, connectionTimeoutMillis: 5000 });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database');
    const existing = new Set(rows.map(({ datname }) => datname));
    for (const name of names.filter((n) => !existing.has(n))) {
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
    }
  } finally {
    await client.end();
  }
}
