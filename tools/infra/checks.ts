import type { Check } from './check.ts';
import { apiServerCheck } from './checks/api-server.ts';
import { cross } from './checks/cross.ts';
import { images } from './checks/images.ts';
import { kubernetes } from './checks/kubernetes.ts';
import { shell } from './checks/shell.ts';
import { terraform } from './checks/terraform.ts';
import { workflows } from './checks/workflows.ts';

/** All that `npm run verify:infra` knows, in the order of its table. */
export const CHECKS: Check[] = [cross, images, kubernetes, shell, terraform, workflows, apiServerCheck];
