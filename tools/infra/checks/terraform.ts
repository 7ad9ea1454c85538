import { appsIn, keepAliveMsIn } from '../apps/app.files.ts';
import type { Check } from '../check.ts';
import { PROVIDER_VERSION } from '../terraform/provider.files.ts';
import { problemsOf } from '../terraform/rules.ts';
import { workspace } from '../terraform/workspace.files.ts';
import { CONTROLS } from './terraform.controls.ts';

const STAGES = /^environments\//;
/** Of modules: what is tested there is tested once, and not in every stage. */
const WITH_TESTS = ['modules/service'];

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
    const facts = { apps: await appsIn(root), keepAliveMs: keepAliveMsIn(root) };
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
  controls: CONTROLS,
};
