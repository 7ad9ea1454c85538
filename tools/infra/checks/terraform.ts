import type { Check } from '../check.ts';
import { factsOf } from '../terraform/facts.files.ts';
import { PROVIDER_VERSION } from '../terraform/provider.files.ts';
import { problemsOf } from '../terraform/rules.ts';
import { workspace } from '../terraform/workspace.files.ts';

const STAGES = /^environments\//;
/** Of modules: what is tested there is tested once, and not in every stage. */
const WITH_TESTS = ['modules/service'];

const SERVICE = 'infra/terraform/modules/service';

export const terraform: Check = {
  name: 'terraform',
  does: 'infra/terraform by OpenTofu: format, arguments by the schemas of hashicorp/aws, tests, and every stage against the apps',
  async run(root, progress) {
    const work = await workspace(root, progress);
    const problems = new Set(await work.unformatted());
    // A problem of a module is told by every root that has it.
    for (const found of await Promise.all(work.roots.map(work.validated)))
      for (const problem of found) problems.add(problem);
    // What is not valid can't be applied, not even with everything mocked.
    if (problems.size) return { summary: `${work.files} files`, problems: [...problems] };

    let passed = 0;
    for (const folder of WITH_TESTS) {
      const tests = await work.tested(folder);
      passed += tests.passed;
      for (const problem of tests.problems) problems.add(problem);
    }
    const facts = await factsOf(root);
    let resources = 0;
    for (const folder of work.roots) {
      const stage = await work.resolved(folder);
      resources += stage.resources.length;
      for (const problem of stage.problems) problems.add(problem);
      // A stage that is not whole would be found wanting in everything.
      if (STAGES.test(folder) && !stage.problems.length)
        for (const problem of problemsOf(folder, stage.resources, facts)) problems.add(problem);
    }
    const summary = `${work.files} files, ${work.roots.length} roots valid by hashicorp/aws ${PROVIDER_VERSION}, ${passed} tests, ${resources} resources`;
    return { summary, problems: [...problems] };
  },
  controls: [
    {
      does: 'an argument is misspelt',
      file: `${SERVICE}/services.tf`,
      change: (hcl) => hcl.replace('deregistration_delay = 30', 'deregistration_delays = 30'),
      expects: /services\.tf:\d+ Unsupported argument.*deregistration_delays/,
    },
    {
      does: 'a required argument is left out',
      file: `${SERVICE}/network.tf`,
      change: (hcl) => hcl.replace(/^ +ip_protocol .*\n/m, ''),
      expects: /network\.tf:\d+ Missing required argument.*ip_protocol/,
    },
    {
      does: 'a block is not one of the resource',
      file: `${SERVICE}/services.tf`,
      change: (hcl) => hcl.replace('deployment_circuit_breaker {', 'circuit_breaker {'),
      expects: /services\.tf:\d+ Unsupported block type.*circuit_breaker/,
    },
    {
      does: 'a reference leads to nothing',
      file: `${SERVICE}/registry.tf`,
      change: (hcl) => hcl.replace('aws_ecr_repository.this.name', 'aws_ecr_repository.images.name'),
      expects: /registry\.tf:\d+ Reference to undeclared resource/,
    },
    {
      does: 'there is no such type of resource',
      file: `${SERVICE}/tasks.tf`,
      change: (hcl) =>
        hcl.replace('resource "aws_cloudwatch_log_group"', 'resource "aws_cloudwatch_loggroup"'),
      expects: /tasks\.tf:\d+ Invalid resource type/,
    },
    {
      does: 'a file is not formatted',
      file: `${SERVICE}/outputs.tf`,
      change: (hcl) => hcl.replace('  value       =', '  value ='),
      expects: /outputs\.tf is not formatted/,
    },
    {
      does: 'a value is given to a variable that the app does not have',
      file: 'infra/terraform/modules/environment/apps.tf',
      change: (hcl) => hcl.replace('{ PAYMENTS_URL =', '{ PAYMENT_URL = "", PAYMENTS_URL ='),
      expects: /orders has no variable PAYMENT_URL/,
    },
    {
      does: 'a task has less time to stop than it gives itself',
      file: `${SERVICE}/tasks.tf`,
      change: (hcl) => hcl.replace('stopTimeout = 40', 'stopTimeout = 30'),
      expects: /stopTimeout is 30 s, DRAIN_MS and SHUTDOWN_DEADLINE_MS take up to 35 s/,
    },
  ],
};
