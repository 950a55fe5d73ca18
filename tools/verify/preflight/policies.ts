import { compile } from "../../../analysis/compile.ts";
import { type Labels, selects } from "../../../analysis/labelSelector.ts";
import {
  appliesTo,
  type NetworkPolicy,
  policyId,
  SELECTED_BY_EVERY_POLICY,
  type Source,
} from "../../../analysis/networkPolicy.ts";
import { parseLabelSelector } from "../../../analysis/parseNetworkPolicy.ts";
import { ProblemsError } from "../../../analysis/problems.ts";
import { changeInWords } from "../../../analysis/reach/words.ts";
import type { Semantics } from "../../../analysis/semantics.ts";
import { egressDrift } from "../../../runner/drift.ts";
import { labelsFor } from "../manifests.ts";
import type { PolicyObject } from "../objects.ts";
import type { Optional, Snapshot } from "../snapshot.ts";
import { checked, contradiction, doubt, type Finding, type Found, note } from "./finding.ts";
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

interface NewerKinds {
  readonly namespaceLabels: Labels;
  readonly labelSets: readonly Labels[];
  readonly clusterNetworkPolicies: Optional<PolicyObject>;
  readonly applicationNetworkPolicies: Optional<PolicyObject>;
}

/**
 * ClusterNetworkPolicies and ApplicationNetworkPolicies (`networking.k8s.aws/v1alpha1`) take part in the verdict for a
 * pod, in an order that this analysis does not have. One that may choose runner pods is a doubt that no probe removes.
 */
export function judgeNewerKinds(input: NewerKinds): Finding[] {
  const cluster = (input.clusterNetworkPolicies ?? [])
    .filter((policy) => subjectMayMatch(policy, input))
    .map(({ metadata }) => `ClusterNetworkPolicy ${metadata.name}`);
  const application = (input.applicationNetworkPolicies ?? [])
    .filter(({ spec }) => mayMatch(spec.podSelector, input.labelSets))
    .map(({ metadata }) => `ApplicationNetworkPolicy ${metadata.namespace}/${metadata.name}`);
  return checked(
    "newer policy kinds",
    [...cluster, ...application]
      .sort()
      .map((name) =>
        doubt(
          `${name} may select runner pods, and what it does to their reach is not analysed`,
          "leave runner pods out of it; the probes below still show what they reach on the tried destinations",
        ),
      ),
    "no ClusterNetworkPolicy or ApplicationNetworkPolicy selects them",
  );
}

/** `spec.subject` chooses namespaces, or pods of namespaces. What has neither form is taken to match. */
function subjectMayMatch({ spec }: PolicyObject, { namespaceLabels, labelSets }: NewerKinds): boolean {
  const { namespaces, pods } = (spec.subject ?? {}) as {
    readonly namespaces?: unknown;
    readonly pods?: { readonly namespaceSelector?: unknown; readonly podSelector?: unknown };
  };
  return (
    mayMatch(namespaces ?? pods?.namespaceSelector, [namespaceLabels]) &&
    mayMatch(namespaces === undefined ? pods?.podSelector : undefined, labelSets)
  );
}

/** A selector that can't be read, or is missing, is taken to match. */
function mayMatch(selector: unknown, labelSets: readonly Labels[]): boolean {
  const read = parseLabelSelector(selector);
  return read === undefined || labelSets.some((labels) => selects(read, labels));
}
