export {
  attachBroker,
  attachDatabase,
  eventConsumer,
  outboxRelay,
  startFlow,
  watchPolicies,
} from './services.factory.ts';
export { deadLetterCommand } from './dlq.command.ts';
export type { Instrumented } from './instrument.ts';
export { databasePool, platformOf, workerThreads, type EveryProcess, type Platform } from './platform.ts';
export type { TlsVariables } from './tls.factory.ts';
export { runApp, type AppOptions } from './run-app.ts';
export { doesJobs, dueJob, finishedJob, jobReports } from './jobs.ts';
export type { JobReport, JobRun, JobWork, ReportJob } from './jobs.ts';
