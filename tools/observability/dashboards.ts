import { messaging, red } from './dashboards-flow.ts';
import { resilience, runtime } from './dashboards-process.ts';
import type { Dashboard } from './panels.ts';

/** What Grafana gets, as files in infra/observability/grafana/dashboards. */
export const DASHBOARDS: Dashboard[] = [red, messaging, runtime, resilience];
