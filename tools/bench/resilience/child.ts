import { CASES, type Entrant, type Findings } from './cases.ts';
import { floorOf, type Contestant } from './loops.ts';
import { measure } from './measure.ts';
import { rivals } from './rivals.ts';

/**
 * One process of `npm run bench -- resilience`: all cases, one after another, since an app has more than one pipeline
 * and V8 has then seen them all. Each process begins with another case, so none is always measured before the others.
 */
process.on('disconnect', () => process.exit(1));
try {
  const { ours } = await import('./ours.ts').catch((error: Error) => {
    throw new Error(`the build of libs/resilience lacks what is measured: ${error.message}`);
  });
  const findings: Partial<Findings> = {};
  const first = (Number(process.argv[2]) * 2) % CASES.length;
  for (const one of [...CASES.slice(first), ...CASES.slice(0, first)]) {
    const field = new Map<Entrant, Contestant>([['floor', floorOf(one.id)]]);
    for (const [name, enter] of Object.entries({ ...ours[one.id], ...rivals[one.id] })) {
      field.set(name as Entrant, await enter());
    }
    findings[one.id] = await measure(one, field);
  }
  process.send!({ findings });
} catch (error) {
  process.send!({ error: (error as Error).message });
}
process.disconnect();
