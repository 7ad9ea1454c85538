import { z } from 'zod';

/** What the scheduler sends, by topic and type: `contracts/scheduler.asyncapi.json` is made from it. Fields may be added, never taken away. */

export const SENDS = {
  jobs: {
    'job.due.v1': z.object({ job: z.string(), tick: z.iso.datetime(), attempt: z.number().int() }),
  },
};
