import { neverCloses, retryStorm } from './tables.fixture.ts';

// `npm run bench -- failure-cases` runs this file in a process of its own.
for (const make of [neverCloses, retryStorm]) process.send!(await make());
process.disconnect();
