/** What is wrong with a project's files or with a stack's config. */
export class ProjectError extends Error {
  override readonly name = "ProjectError";

  /** @param problems one line each */
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
  }
}
