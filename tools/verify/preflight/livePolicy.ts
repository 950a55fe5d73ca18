import { formatRange } from "../../../analysis/cidr.ts";
import { compile } from "../../../analysis/compile.ts";
import { type Diff, type DiffBox, diff, isEmptyDiff } from "../../../analysis/diff.ts";
import { formatSelector } from "../../../analysis/labelSelector.ts";
import { type NetworkPolicy, policyId, SELECTED_BY_EVERY_POLICY } from "../../../analysis/networkPolicy.ts";
import { parseNetworkPolicies } from "../../../analysis/parseNetworkPolicy.ts";
import { ProblemsError } from "../../../analysis/problems.ts";
import { formatPorts } from "../../../analysis/regions.ts";
import type { PolicyObject } from "../objects.ts";
import type { Finding } from "./finding.ts";

/** More differences than this say nothing more. */
const MOST_SHOWN = 4;

/** Whether the cluster's policy says what the program's says, however each is written. */
export function judgeLivePolicy(program: NetworkPolicy, live: readonly PolicyObject[]): Finding[] {
  const id = policyId(program);
  const found = live.find(({ metadata }) => metadata.name === program.name);
  const problem = (text: string, remedy: string): Finding => ({
    check: "live policy",
    level: "contradiction",
    text,
    remedy,
  });
  if (found === undefined) {
    const others = live.map(({ metadata }) => metadata.name).join(", ") || "none";
    return [
      problem(
        `the cluster has no NetworkPolicy ${id}; the namespace has ${others}`,
        "run `pulumi up`, or check that this is the right cluster",
      ),
    ];
  }
  let policy: NetworkPolicy;
  try {
    [policy] = parseNetworkPolicies([withKind(found)]) as [NetworkPolicy];
  } catch (error) {
    if (!(error instanceof ProblemsError)) {
      throw error;
    }
    return [problem(`the live policy ${id} can't be analysed: ${error.message}`, "write it again with `pulumi up`")];
  }
  const differences = describeDifferences(program, policy);
  return differences.length === 0
    ? [{ check: "live policy", level: "ok", text: `the live policy ${id} says what the program's says` }]
    : differences.map((difference) =>
        problem(
          `the live policy ${id} is not the program's: ${difference}`,
          "run `pulumi up`, which takes it back; with --stack, see that its recorded facts are current",
        ),
      );
}

/** The server gives the members of a list without their kind. */
export function withKind({ metadata, spec }: PolicyObject): unknown {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec };
}

function describeDifferences(program: NetworkPolicy, live: NetworkPolicy): string[] {
  const selectors = [live, program].map(({ podSelector }) => formatSelector(podSelector) || "every pod");
  if (selectors[0] !== selectors[1]) {
    return [`it selects ${selectors[0]}, not ${selectors[1]}`];
  }
  if (!live.isolatesEgress) {
    return ["its policyTypes lack Egress, so it denies nothing"];
  }
  const semantics = { name: "kubernetes" } as const;
  return describeDiff(
    diff(
      compile([program], { semantics, source: SELECTED_BY_EVERY_POLICY }),
      compile([live], { semantics, source: SELECTED_BY_EVERY_POLICY }),
    ),
  );
}

/** A difference in reach, one line for each opened or closed box. */
export function describeDiff(change: Diff): string[] {
  if (isEmptyDiff(change)) {
    return [];
  }
  const lines = [...describeSide("it also allows", change.gained), ...describeSide("it does not allow", change.lost)];
  return lines.length <= MOST_SHOWN ? lines : [...lines.slice(0, MOST_SHOWN), `and ${lines.length - MOST_SHOWN} more`];
}

function describeSide(verb: string, { boxes, pods }: Diff["gained"]): string[] {
  return [
    ...boxes.map((box) => `${verb} ${describeBox(box)}`),
    ...pods.map(
      ({ text, protocols, ports }) =>
        `${verb} ${text} on ${protocols.join("/")} ${typeof ports === "string" ? `"${ports}"` : formatPorts(ports)}`,
    ),
  ];
}

function describeBox({ range, protocols, ports, names }: DiffBox): string {
  return `${formatRange(range)} (${names.join(", ")}) on ${protocols.join("/")} ${formatPorts(ports)}`;
}
