import { compile } from "../../../analysis/compile.ts";
import { diff } from "../../../analysis/diff.ts";
import type { Labels } from "../../../analysis/labelSelector.ts";
import {
  appliesTo,
  type NetworkPolicy,
  policyId,
  SELECTED_BY_EVERY_POLICY,
  type Source,
} from "../../../analysis/networkPolicy.ts";
import { parseNetworkPolicies } from "../../../analysis/parseNetworkPolicy.ts";
import { ProblemsError } from "../../../analysis/problems.ts";
import type { Semantics } from "../../../analysis/semantics.ts";
import type { PolicyObject } from "../objects.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Finding } from "./finding.ts";
import { describeDiff, withKind } from "./livePolicy.ts";

interface Input {
  readonly program: NetworkPolicy;
  readonly semantics: Semantics;
  readonly snapshot: Pick<Snapshot, "networkPolicies" | "inventory">;
  /** Labels that runner pods have: those of the probe, and every set that a live runner carries. */
  readonly labelSets: readonly Labels[];
}

/**
 * Which other NetworkPolicies choose runner pods, and what all of them together allow beyond the program's policy. Rules
 * add up, so one policy with a wide rule undoes the narrow ones.
 */
export function judgeOtherPolicies({ program, semantics, snapshot, labelSets }: Input): Finding[] {
  const others = snapshot.networkPolicies.filter(({ metadata }) => metadata.name !== program.name);
  const findings: Finding[] = [];
  const parsed: NetworkPolicy[] = [];
  for (const object of others) {
    try {
      parsed.push(...parseNetworkPolicies([withKind(object)]));
    } catch (error) {
      if (!(error instanceof ProblemsError)) {
        throw error;
      }
      findings.push({
        check: "other policies",
        level: "doubt",
        text: `NetworkPolicy ${program.namespace}/${object.metadata.name} can't be analysed: ${error.message}`,
        remedy: "write its addresses canonically, or remove it",
      });
    }
  }
  const sources = labelSets.map((labels): Source => ({ namespace: program.namespace, labels }));
  const applying = parsed.filter((policy) => sources.some((source) => appliesTo(policy, source)));
  if (applying.length === 0 && findings.length === 0) {
    return [{ check: "other policies", level: "ok", text: "no other NetworkPolicy selects runner pods" }];
  }
  const { inventory } = snapshot;
  for (const policy of applying) {
    const alone = compile([program], { semantics, source: SELECTED_BY_EVERY_POLICY, inventory });
    const together = compile([program, policy], { semantics, source: SELECTED_BY_EVERY_POLICY, inventory });
    const { gained, lost } = diff(alone, together);
    const wider = describeDiff({ gained, lost: { boxes: [], pods: [] } });
    const narrower = describeDiff({ gained: { boxes: [], pods: [] }, lost });
    findings.push(...wider.map((text) => widening(policy, text)), ...narrower.map((text) => narrowing(policy, text)));
    if (wider.length + narrower.length === 0) {
      const text = `NetworkPolicy ${policyId(policy)} selects runner pods too and changes nothing for them`;
      findings.push({ check: "other policies", level: "note", text });
    }
  }
  return findings;
}

function widening(policy: NetworkPolicy, text: string): Finding {
  return {
    check: "other policies",
    level: "contradiction",
    text: `NetworkPolicy ${policyId(policy)} selects runner pods too, and with it ${text.replace(/^it /, "the runner ")}`,
    remedy: "narrow its podSelector so that it leaves runners out, or remove it",
  };
}

/** Only the AWS agent does this: it applies an `except` to the rules of all policies. */
function narrowing(policy: NetworkPolicy, text: string): Finding {
  return {
    check: "other policies",
    level: "contradiction",
    text: `NetworkPolicy ${policyId(policy)} selects runner pods too, and the agent takes from the program's rules: ${text.replace(/^it /, "the runner ")}`,
    remedy: "remove the except that reaches into the runner's destinations (docs/semantics.md)",
  };
}

/** Whether the control is what it should be: a pod that nothing holds back. */
export function judgeControl(controlLabels: Labels, namespace: string, policies: readonly PolicyObject[]): Finding[] {
  const source: Source = { namespace, labels: controlLabels };
  const holding = policies.flatMap((object) => {
    try {
      return parseNetworkPolicies([withKind(object)]).filter(
        (policy) => policy.isolatesEgress && appliesTo(policy, source),
      );
    } catch (error) {
      if (error instanceof ProblemsError) {
        return [];
      }
      throw error;
    }
  });
  return holding.length === 0
    ? [{ check: "control", level: "ok", text: `no NetworkPolicy of ${namespace} holds the control back` }]
    : holding.map((policy) => ({
        check: "control",
        level: "doubt",
        text:
          `NetworkPolicy ${policyId(policy)} also isolates the control, so its silence says nothing of a host and a ` +
          "denial can't be told from a dead one",
        remedy: "run the control elsewhere: --control-namespace NAME, one without such a policy",
      }));
}
