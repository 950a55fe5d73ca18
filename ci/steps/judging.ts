import { readFileSync } from "node:fs";
import { join } from "node:path";

const OWNERS = join(import.meta.dirname, "..", "..", ".github", "CODEOWNERS");

/** Of these files those that judge changes; `.github/CODEOWNERS` has the folders. */
export function judging(files: readonly string[]): string[] {
  const folders = readFileSync(OWNERS, "utf8")
    .split("\n")
    .flatMap((line) => /^\/(\S+\/)\s+@/.exec(line)?.[1] ?? []);
  return files.filter((file) => folders.some((folder) => file.startsWith(folder))).sort();
}
