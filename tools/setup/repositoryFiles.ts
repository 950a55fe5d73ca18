import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";

const FOLDER = join(import.meta.dirname, "..", "..", ".github");

interface Workflow {
  readonly on: { readonly pull_request?: unknown; readonly push?: { readonly branches?: readonly string[] } };
  readonly jobs: Readonly<Record<string, { readonly name: string; readonly if?: string; readonly strategy?: unknown }>>;
}

function workflow(file: string): Workflow {
  return load(readFileSync(join(FOLDER, "workflows", file), "utf8")) as Workflow;
}

/** The branch from which `deploy.yml` deploys. */
export function pullRequestBranch(): string {
  const [branch] = workflow("deploy.yml").on.push?.branches ?? [];
  if (branch === undefined) {
    throw new Error(".github/workflows/deploy.yml names no branch");
  }
  return branch;
}

/**
 * The checks that every pull request gets, by the names that GitHub shows. A job that is skipped for some, or that is one of
 * several by a matrix, can't be required: a pull request without it would wait for ever.
 */
export function requiredChecks(): string[] {
  return readdirSync(join(FOLDER, "workflows"))
    .map(workflow)
    .filter(({ on }) => "pull_request" in on)
    .flatMap(({ jobs }) => Object.values(jobs))
    .filter((job) => job.strategy === undefined && (job.if === undefined || /^!cancelled\(\)$/.test(job.if)))
    .map(({ name }) => name)
    .sort();
}

/** Who owns `.github/` by CODEOWNERS: `ORG/TEAM` or `USER`. */
export function codeOwners(): string[] {
  const text = readFileSync(join(FOLDER, "CODEOWNERS"), "utf8");
  return (/^\/\.github\/ (.*)$/m.exec(text)?.[1] ?? "").split(" ").map((owner) => owner.replace("@", ""));
}

/** Of these files those that judge changes or make them, by CODEOWNERS. */
export function judging(files: readonly string[]): string[] {
  const owned = [...readFileSync(join(FOLDER, "CODEOWNERS"), "utf8").matchAll(/^\/(\S+)\s+@/gm)].map(
    ([, path = ""]) => path,
  );
  return files
    .filter((file) => owned.some((path) => (path.endsWith("/") ? file.startsWith(path) : file === path)))
    .sort();
}
