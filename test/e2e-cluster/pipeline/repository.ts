import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dump, load } from "js-yaml";
import { mustRun } from "../../e2e/support/command.ts";
import { Project } from "../../e2e/support/stack.ts";

/** A copy of the project as a Git repository whose branch is `staging`. */
export class Repository {
  readonly project: Project;

  private constructor(project: Project) {
    this.project = project;
  }

  static async create(): Promise<Repository> {
    const repository = new Repository(await Project.copy());
    await repository.#git("init", "--quiet", "--initial-branch=staging");
    await writeFile(join(repository.path, ".git", "info", "exclude"), "node_modules\n");
    return repository;
  }

  get path(): string {
    return this.project.directory;
  }

  /** Commits everything; returns the commit's id. */
  async commit(message: string): Promise<string> {
    await this.#git("add", "--all");
    await this.#git("-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "-m", message);
    return (await this.#git("rev-parse", "HEAD")).trim();
  }

  /** Changes a YAML or JSON file of the repository. */
  async edit(file: string, change: (content: Record<string, unknown>) => object): Promise<void> {
    const path = join(this.path, file);
    const content = change(load(await readFile(path, "utf8")) as Record<string, unknown>);
    await this.write(file, file.endsWith(".json") ? JSON.stringify(content, null, 2) : dump(content));
  }

  async write(file: string, text: string): Promise<void> {
    const path = join(this.path, file);
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  }

  remove(): Promise<void> {
    return this.project.remove();
  }

  #git(...args: string[]): Promise<string> {
    return mustRun("git", args, { cwd: this.path });
  }
}
