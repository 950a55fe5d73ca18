import { capture } from "./command.ts";
import { Refusal } from "./refusal.ts";

/** An update in a stack's history, in the members that matter here. */
interface Update {
  readonly kind: string;
  readonly result: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Full id of the commit that a stack was last updated from, as the engine wrote it into the stack's history; `undefined`
 * where no update succeeded yet. It counts whoever ran `pulumi up`, a workflow or a person.
 */
export async function deployedCommit(stack: string): Promise<string | undefined> {
  const { status, stdout, stderr } = await capture("pulumi", ["stack", "history", "--json", "--stack", stack]);
  if (status !== 0) {
    throw new Refusal(`The history of ${stack} can't be read:`, [stderr.trim() || `pulumi ended with ${status}`]);
  }
  // The newest is first.
  const updates = JSON.parse(stdout || "[]") as readonly Update[];
  const last = updates.find(({ kind, result }) => kind === "update" && result === "succeeded");
  return last?.environment?.["git.head"];
}

/** How two commits of the repository lie to each other; `unknown`: the older one is not in this clone. */
export async function isAncestor(commit: string, of: string): Promise<boolean | "unknown"> {
  const { status } = await capture("git", ["merge-base", "--is-ancestor", commit, of]);
  return status === 0 ? true : status === 1 ? false : "unknown";
}
