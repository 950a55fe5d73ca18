import {
  compile,
  type EgressAnalysis,
  type NetworkPolicy,
  type Peer,
  policyId,
  Reach,
  type Reference,
  SELECTED_BY_EVERY_POLICY,
  type Semantics,
} from "../analysis/index.ts";
import type { DeclaredCluster } from "./declaration.ts";
import { isRead, type ReadPolicy, type UnreadPolicy } from "./plannedPolicy.ts";
import { type RunnerPods, selectionOf } from "./selection.ts";

/** Policies that are judged together, each read as far as it can be. */
export type PolicySet = readonly (ReadPolicy | UnreadPolicy)[];

/** `namespace/name` of a policy; of an unreadable one as far as it can be told. */
export function idOf(policy: ReadPolicy | UnreadPolicy): string | undefined {
  if (isRead(policy)) {
    return policyId(policy.policy);
  }
  const { identity } = policy;
  return identity && `${identity.namespace}/${identity.name}`;
}

/** A policy whose pods are known, an unreadable one without its rules: it isolates all the same. */
export function shellOf(policy: ReadPolicy | UnreadPolicy): ReadPolicy | undefined {
  return isRead(policy) ? policy : policy.shell;
}

/** All of those. */
export function shells(set: PolicySet): ReadPolicy[] {
  return set.flatMap((policy) => shellOf(policy) ?? []);
}

/** The policies that may select one of these pods. */
export function selecting(set: PolicySet, runner: RunnerPods): PolicySet {
  return set.filter((policy) => {
    const shell = shellOf(policy);
    return shell === undefined
      ? (idOf(policy)?.startsWith(`${runner.namespace}/`) ?? true)
      : selectionOf(shell.policy, runner) !== "none";
  });
}

/** Whether policies of which not even the pods are known may select these. */
export function hidesSome(set: PolicySet, runner: RunnerPods): boolean {
  return selecting(set, runner).some((policy) => shellOf(policy) === undefined);
}

/** What some runner pods may reach. */
export interface RunnerReach {
  readonly semantics: Semantics;
  readonly analysis: EgressAnalysis;
  /** The same as a set, on the protocols that a policy can name: the others come and go with rules for every port. */
  readonly reach: Reach;
  /** The policies of the analysis, in its order. */
  readonly policies: readonly ReadPolicy[];
  /** Which of the runner pods, where not all: `tier=paid`. */
  readonly pods?: string;
}

/** What policies allow together, all taken to select the pod. */
export function reachOf(policies: readonly ReadPolicy[], semantics: Semantics): RunnerReach {
  const analysis = compile(policiesOf(policies), { semantics, source: SELECTED_BY_EVERY_POLICY });
  return { semantics, policies, analysis, reach: Reach.of(analysis).withPorts };
}

/** The peers of a rule that a reference points at. */
export function peersAt({ policies }: RunnerReach, place: Reference | undefined): readonly Peer[] {
  return (place && policies[place.policyIndex]?.policy.egress[place.rule]?.to) ?? [];
}

export function policiesOf(read: readonly ReadPolicy[]): NetworkPolicy[] {
  return read.map(({ policy }) => policy);
}

/** As specified, then as the AWS agent enforces it. */
export function semanticsOf({ ipFamily, agentVersion }: DeclaredCluster): Semantics[] {
  return [{ name: "kubernetes" }, { name: "vpc-cni", ipFamily, ...(agentVersion !== undefined && { agentVersion }) }];
}
