import { capture } from "../../tools/command.ts";
import { Refusal } from "../../tools/refusal.ts";

/**
 * The commit that is checked out. With uncommitted changes to tracked files there is none: what would be deployed is
 * then no commit at all.
 */
export async function checkedOutCommit(): Promise<string> {
  const [head, changes] = [
    await capture("git", ["rev-parse", "HEAD"]),
    await capture("git", ["status", "--porcelain", "--untracked-files=no"]),
  ];
  if (head.status !== 0 || changes.status !== 0) {
    throw new Refusal("This is no git repository, so nothing says which commit is previewed or deployed.");
  }
  const files = changes.stdout.split("\n").filter((line) => line !== "");
  if (files.length > 0) {
    throw new Refusal(
      "The working tree is not the commit: commit or discard these changes first.",
      files.map((line) => line.slice(3)),
    );
  }
  return head.stdout.trim();
}
