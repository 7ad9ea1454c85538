import { describe, expect, it } from '@jest/globals';
import ChangelogRenderer from './changelog.renderer.ts';

const change = (description: string, ...affectedProjects: string[]) => ({ description, affectedProjects });

describe('an entry in a changelog', () => {
  const changes = [
    change('- `url` refuses a missing host.\n- **Changed:** texts of problems.\n', '@cairn/config'),
    change('- Headers.', '@cairn/http'),
    change('- Both.', '@cairn/config', '@cairn/http'),
  ];
  const entry = new ChangelogRenderer({
    changes,
    changelogEntryVersion: '0.2.0',
    project: '@cairn/config',
  }).render();

  it('has the version and the date above the plans’ own words', () => {
    expect(entry).toMatch(
      /^## 0\.2\.0 – \d{4}-\d\d-\d\d\n\n- `url` refuses a missing host\.\n- \*\*Changed:\*\* texts of problems\.\n\n- Both\.$/,
    );
  });

  it('has no plan of another library', () => {
    expect(entry).not.toContain('Headers');
  });
});
