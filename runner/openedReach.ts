import { formatRange } from "../analysis/cidr.ts";
import { compile, type EgressAnalysis } from "../analysis/compile.ts";
import { bareDiff } from "../analysis/diff.ts";
import { namesIn } from "../analysis/names.ts";
import { SELECTED_BY_EVERY_POLICY } from "../analysis/networkPolicy.ts";
import { parseNetworkPolicies } from "../analysis/parseNetworkPolicy.ts";
import { ProblemsError } from "../analysis/problems.ts";
import { formatPorts } from "../analysis/regions.ts";
import type { AnySpec } from "./drift.ts";

/** More than this many stretches are counted instead of listed. */
const MOST_LISTED = 6;

/**
 * What a live spec lets through that the desired one does not, exactly and in a sentence: an added rule that only says
 * again what is allowed anyway lets nothing through. `namespace` is the policy's, which its selectors mean by default.
 */
export function describeOpenedReach(live: AnySpec, desired: AnySpec, namespace: string): string {
  try {
    const { boxes, pods } = bareDiff(analyse(desired, namespace), analyse(live, namespace)).gained;
    const opened = [
      ...boxes.map(
        ({ range, protocols, ports }) =>
          `${formatRange(range)} on ${protocols.join(", ")} ${formatPorts(ports)} (${namesIn(range).join("; ")})`,
      ),
      ...pods.map(
        ({ text, protocols, ports }) =>
          `${text} on ${protocols.join(", ")} ${typeof ports === "string" ? `port "${ports}"` : formatPorts(ports)}`,
      ),
    ];
    if (opened.length === 0) {
      return "It lets through nothing more.";
    }
    const rest = opened.length > MOST_LISTED ? ` and ${opened.length - MOST_LISTED} more` : "";
    return `In all it lets through ${opened.slice(0, MOST_LISTED).join(", ")}${rest}.`;
  } catch (error) {
    if (error instanceof ProblemsError) {
      return `What it lets through cannot be told. ${error.message}`;
    }
    throw error;
  }
}

function analyse(spec: AnySpec, namespace: string): EgressAnalysis {
  return compile(parseNetworkPolicies([{ spec }], { namespace }), {
    semantics: { name: "kubernetes" },
    source: SELECTED_BY_EVERY_POLICY,
  });
}
