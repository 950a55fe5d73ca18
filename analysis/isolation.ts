import { explain } from "./explain.ts";
import { appliesTo, policyId, SELECTED_BY_EVERY_POLICY } from "./networkPolicy.ts";
import type { EgressAnalysis, Point } from "./normalForm.ts";
import { verdict } from "./point.ts";

/** Of a pod that nothing isolates, or labels in egress rules that policies have for another direction. */
export const DEPENDS_ON_LABELS =
  "depends on pods that only an inventory tells: if the egress rules' labels match any, the pod is isolated on EKS";

/** What has to be said beside every verdict: that nothing isolates the pod, and egress rules that do not count or might. */
export function isolationNotes({ policies, source, semantics, isolated, ifIsolated }: EgressAnalysis): string[] {
  const home = source === SELECTED_BY_EVERY_POLICY ? undefined : source.namespace;
  const here = policies.filter(({ namespace }) => home === undefined || namespace === home);
  const selecting = policies.filter((policy) => appliesTo(policy, source));
  const ignored = selecting.filter(({ isolatesEgress, egress }) => !isolatesEgress && egress.length > 0).map(policyId);
  const elsewhere = [...new Set(policies.map(({ namespace }) => namespace))].sort().join(", ");
  const why =
    policies.length === 0
      ? "there is no NetworkPolicy"
      : here.length === 0
        ? `no policy is in namespace ${home}; they are in ${elsewhere}`
        : selecting.length === 0
          ? "no policy selects it"
          : "the policies that select it aren't for egress";
  return [
    ...(isolated ? [] : [`No policy isolates the egress of this pod, so it may reach everything: ${why}.`]),
    ...ignored.map((id) =>
      semantics.name === "kubernetes"
        ? `${id} selects the pod but not for egress: its policyTypes leaves out Egress, so its egress rules don't count.`
        : ifIsolated === undefined
          ? `${id} isolates the pod on EKS although its policyTypes leaves out Egress: the AWS controller applies its egress rules all the same.`
          : `${id} selects the pod but not for egress. The AWS controller applies its egress rules all the same, and if their labels match any pod or Service, the pod is isolated on EKS. Only an inventory tells.`,
    ),
  ];
}

/** Why a verdict of a pod that nothing isolates depends on labels that only an inventory resolves; `undefined`: it doesn't. */
export function labelDoubt({ ifIsolated, ...analysis }: EgressAnalysis, point: Point): string | undefined {
  if (ifIsolated === undefined || verdict(ifIsolated, point) === verdict({ ifIsolated, ...analysis }, point)) {
    return undefined;
  }
  return `depends on pods that only an inventory tells: if the egress rules' labels match none, no policy isolates the pod; else ${explain(ifIsolated, point).text}`;
}
