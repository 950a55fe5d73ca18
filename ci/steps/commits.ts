import { capture } from "../../tools/command.ts";
import { Refusal } from "../../tools/refusal.ts";

/** More updates than a stack has. */
const MOST = 1_000_000;

/** An update in a stack's history, in the members that matter here. */
interface Update {
  readonly kind: string;
  readonly result: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Full id of the last commit that a stack is known to be updated from, as the engine wrote it into the stack's history;
 * `undefined` where no update succeeded yet. It counts whoever ran `pulumi up`, a workflow or a person; an update from outside
 * of a repository has no commit, and does not make the stack forget the one before.
 */
export async function deployedCommit(stack: string): Promise<string | undefined> {
  const { status, stdout, stderr } = await capture("pulumi", [
    ...["stack", "history", "--json", "--stack", stack],
    // By itself it shows the last ten, which may all be refreshes and failures.
    ...["--page-size", String(MOST)],
  ]);
  if (status !== 0) {
    throw new Refusal(`The history of ${stack} can't be read:`, [stderr.trim() || `pulumi ended with ${status}`]);
  }
  // The newest is first.
  const updates = JSON.parse(stdout || "[]") as readonly Update[];
  return updates.find(
    ({ kind, result, environment }) => kind === "update" && result === "succeeded" && environment?.["git.head"],
  )?.environment?.["git.head"];
}

/** How two commits of the repository lie to each other; `unknown`: the older one is not in this clone. */
export async function isAncestor(commit: string, of: string): Promise<boolean | "unknown"> {
  const { status } = await capture("git", ["merge-base", "--is-ancestor", commit, of]);
  return status === 0 ? true : status === 1 ? false : "unknown";
}

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
