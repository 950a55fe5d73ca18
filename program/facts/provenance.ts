import { relative } from "node:path";
import type { StackFiles } from "../stackFiles.ts";
import { recordCommandOf, recordedFactsPath } from "./recordedFactsFile.ts";

/** Facts that are older may no longer hold. */
const STALE_AFTER_DAYS = 30;

/** Where the recorded facts of a stack come from, how old they are, and why not to rely on them; a line each. */
export function provenanceOf({ project, stack, config, facts }: StackFiles, now: Date): string[] {
  // Tells another project's files from those of the folder in which somebody stands.
  const path = relative(process.cwd(), recordedFactsPath(project, stack));
  const days = Math.floor((now.getTime() - Date.parse(facts.recordedAt)) / 86_400_000);
  const age = days < 0 ? "in the future" : days === 0 ? "today" : days === 1 ? "yesterday" : `${days} days ago`;
  const again = `\`${recordCommandOf(stack)}\``;
  const recordedFor = facts.cluster?.name;
  const cluster = "eks" in config.cluster ? config.cluster.eks : undefined;
  return [
    `network from ${path}, recorded ${facts.recordedAt.slice(0, 10)} (${age}): ${facts.source}`,
    ...(facts.placeholders.length === 0
      ? []
      : [`these are placeholders, not facts: ${facts.placeholders.join(", ")}; ${again} looks the real ones up`]),
    ...(cluster === undefined || recordedFor === undefined || cluster === recordedFor
      ? []
      : [`these facts are of the cluster ${recordedFor}, not of ${cluster}; ${again} records them anew`]),
    ...(days > STALE_AFTER_DAYS || days < 0
      ? [`caution: the network may have changed since; ${again} records it anew`]
      : []),
  ];
}
