import { compile } from "../../../analysis/compile.ts";
import type { Labels } from "../../../analysis/labelSelector.ts";
import {
  appliesTo,
  type NetworkPolicy,
  policyId,
  SELECTED_BY_EVERY_POLICY,
  type Source,
} from "../../../analysis/networkPolicy.ts";
import { ProblemsError } from "../../../analysis/problems.ts";
import { changeInWords } from "../../../analysis/reach/words.ts";
import type { Semantics } from "../../../analysis/semantics.ts";
import type { PolicyObject } from "../objects.ts";
import type { Snapshot } from "../snapshot.ts";
import { checked, contradiction, doubt, type Finding, type Found, note } from "./finding.ts";
import { readPolicy } from "./readPolicy.ts";

interface Input {
  readonly program: NetworkPolicy;
  readonly semantics: Semantics;
  readonly snapshot: Pick<Snapshot, "networkPolicies" | "inventory">;
  /** Labels that runner pods have: those of the probe, and every set that a live runner carries. */
  readonly labelSets: readonly Labels[];
}

/**
 * Which other NetworkPolicies choose runner pods, and what each together with the program's policy allows. Rules add up, so
 * one policy with a wide rule undoes the narrow ones; the AWS agent also applies an `except` to the rules of all policies.
 */
export function judgeOtherPolicies({ program, semantics, snapshot, labelSets }: Input): Finding[] {
  const { inventory, networkPolicies } = snapshot;
  const sources = labelSets.map((labels): Source => ({ namespace: program.namespace, labels }));
  const reach = (...policies: NetworkPolicy[]) =>
    compile(policies, { semantics, source: SELECTED_BY_EVERY_POLICY, inventory });
  const judge = (object: PolicyObject): Found[] => {
    const policy = readPolicy(object);
    const id = `NetworkPolicy ${program.namespace}/${object.metadata.name}`;
    if (policy instanceof ProblemsError) {
      return [doubt(`${id} can't be analysed: ${policy.message}`, "correct it, or remove it")];
    }
    if (!sources.some((source) => appliesTo(policy, source))) {
      return [];
    }
    const changes = changeInWords(reach(program), reach(program, policy));
    return changes.length === 0
      ? [note(`${id} selects runner pods too and changes nothing for them`)]
      : changes.map((change) =>
          contradiction(
            `${id} selects runner pods too. Together with it, the program's policy is another: ${change}`,
            "narrow its podSelector so that it leaves runners out, or remove it (docs/semantics.md says how policies add up)",
          ),
        );
  };
  return checked(
    "other policies",
    networkPolicies.filter(({ metadata }) => metadata.name !== program.name).flatMap(judge),
    "no other NetworkPolicy selects runner pods",
  );
}

/** Whether the control is what it should be: a pod that nothing holds back. */
export function judgeControl(controlLabels: Labels, namespace: string, policies: readonly PolicyObject[]): Finding[] {
  const source: Source = { namespace, labels: controlLabels };
  const holding = policies.flatMap((object) => {
    const policy = readPolicy(object);
    return policy instanceof ProblemsError || !policy.isolatesEgress || !appliesTo(policy, source) ? [] : [policy];
  });
  return checked(
    "control",
    holding.map((policy) =>
      doubt(
        `NetworkPolicy ${policyId(policy)} also isolates the control, so its silence says nothing of a host and a ` +
          "denial can't be told from a dead one",
        "run the control elsewhere: --control-namespace NAME, one without such a policy",
      ),
    ),
    `no NetworkPolicy of ${namespace} holds the control back`,
  );
}
