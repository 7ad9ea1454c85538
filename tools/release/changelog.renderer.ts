/** What nx knows of a version plan; more is in its type, and not needed. */
type Change = { description: string; affectedProjects: '*' | string[] };
type Given = { changes: Change[]; changelogEntryVersion: string; project: string | null };

/**
 * An entry in a library's changelog, for `nx release`: the texts of the version plans as they were written, below version and
 * date. Nx's own would put each of them into a list item, under a heading by the size of the bump.
 */
export default class ChangelogRenderer {
  readonly #given: Given;

  constructor(given: Given) {
    this.#given = given;
  }

  render(): string {
    const { changes, changelogEntryVersion, project } = this.#given;
    const own = changes.filter(
      ({ affectedProjects }) =>
        project === null || affectedProjects === '*' || affectedProjects.includes(project),
    );
    const date = new Date().toISOString().slice(0, 10);
    const texts = own.map(({ description }) => description.trim());
    return [`## ${changelogEntryVersion} – ${date}`, ...texts].join('\n\n');
  }
}
