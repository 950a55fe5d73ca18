import { type NetworkPolicy, policyId } from "../../../analysis/networkPolicy.ts";
import { ProblemsError } from "../../../analysis/problems.ts";
import type { Semantics } from "../../../analysis/semantics.ts";
import { egressDrift } from "../../../runner/drift.ts";
import { labelsFor } from "../manifests.ts";
import type { PolicyObject } from "../objects.ts";
import { checked, contradiction, type Finding, type Found } from "./finding.ts";
import { readPolicy } from "./readPolicy.ts";

/** Whether the cluster's policy says what the program's says, however each is written. */
export function judgeLivePolicy(
  program: NetworkPolicy,
  live: readonly PolicyObject[],
  semantics: Semantics,
): Finding[] {
  const text = `the live policy ${policyId(program)} says what the program's says`;
  return checked("live policy", differences(program, live, semantics), text);
}

function differences(program: NetworkPolicy, live: readonly PolicyObject[], semantics: Semantics): Found[] {
  const id = policyId(program);
  const found = live.find(({ metadata }) => metadata.name === program.name);
  if (found === undefined) {
    const others = live.map(({ metadata }) => metadata.name).join(", ") || "none";
    return [
      contradiction(
        `the cluster has no NetworkPolicy ${id}; the namespace has ${others}`,
        "run `pulumi up`, or check that this is the right cluster",
      ),
    ];
  }
  const policy = readPolicy(found);
  if (policy instanceof ProblemsError) {
    const text = `the live policy ${id} can't be analysed: ${policy.message}`;
    return [contradiction(text, "write it again with `pulumi up`")];
  }
  const runner = { namespace: program.namespace, labels: labelsFor(program.podSelector) };
  return egressDrift(policy, program, runner, semantics).map((difference) =>
    contradiction(
      `the live policy ${id} is not the program's: ${difference}`,
      "run `pulumi up`, which takes it back; with --stack, see that its recorded facts are current",
    ),
  );
}
