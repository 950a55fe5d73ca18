import { compile } from "../analysis/compile.ts";
import { formatSelector } from "../analysis/labelSelector.ts";
import type { NetworkPolicy, Source } from "../analysis/networkPolicy.ts";
import type { EgressAnalysis } from "../analysis/normalForm.ts";
import { parseNetworkPolicies } from "../analysis/parseNetworkPolicy.ts";
import { ProblemsError } from "../analysis/problems.ts";
import { changeInWords } from "../analysis/reach/words.ts";
import type { Semantics } from "../analysis/semantics.ts";
import { canonicalJson } from "./canonicalJson.ts";

/** A spec as the API server gives it: anything that it accepts, not only what this project writes. */
export interface AnySpec {
  readonly podSelector?: unknown;
  readonly policyTypes?: readonly string[];
  readonly egress?: readonly unknown[];
  readonly ingress?: readonly unknown[];
}

/**
 * How a policy differs from the wanted one for the runners, one line for each difference: which pods it is for, and
 * exactly what it allows beyond the wanted one and what it lacks, as specified and as the cluster enforces it. Empty where it
 * makes no difference to them, however it is written.
 *
 * @param runner the pods that the question is about; a policy that no longer selects them lets them reach everything
 * @param enforced how the cluster reads policies. Default: as specified
 */
export function describeDrift(is: AnySpec, wanted: AnySpec, runner: Source, enforced?: Semantics): string[] {
  let policies: readonly NetworkPolicy[];
  try {
    policies = [is, wanted].map(
      (spec) => parseNetworkPolicies([{ spec }], { namespace: runner.namespace })[0] as NetworkPolicy,
    );
  } catch (error) {
    if (error instanceof ProblemsError) {
      return [`what it allows can't be told. ${error.message}`];
    }
    throw error;
  }
  const members = (["policyTypes", "ingress"] as const)
    .filter((name) => canonicalJson(is[name] ?? null) !== canonicalJson(wanted[name] ?? null))
    .map((name) => `its ${name} is ${text(is[name])}, not ${text(wanted[name])}`);
  const [now, was] = policies as [NetworkPolicy, NetworkPolicy];
  return [...members, ...egressDrift(now, was, runner, enforced)];
}

/** {@link describeDrift} of policies that are read: what differs in the pods that they select and in what these reach. */
export function egressDrift(now: NetworkPolicy, was: NetworkPolicy, runner: Source, enforced?: Semantics): string[] {
  const [selector, wanted] = [now, was].map(({ podSelector }) => formatSelector(podSelector) || "every pod");
  const specified = reachDrift(now, was, runner, { name: "kubernetes" });
  const onEks =
    enforced?.name === "vpc-cni"
      ? reachDrift(now, was, runner, enforced).filter((line) => !specified.includes(line))
      : [];
  return [
    ...(selector === wanted ? [] : [`it selects ${selector}, not ${wanted}`]),
    ...specified,
    ...onEks.map((line) => `on EKS ${line}`),
  ];
}

function reachDrift(now: NetworkPolicy, was: NetworkPolicy, source: Source, semantics: Semantics): string[] {
  const [after, before] = [now, was].map((policy) => compile([policy], { semantics, source })) as [
    EgressAnalysis,
    EgressAnalysis,
  ];
  if (after.isolated !== before.isolated) {
    return [after.isolated ? ISOLATED : NOT_ISOLATED];
  }
  const [isRefused, wasRefused] = [after, before].map(({ aborts }) => aborts.length > 0);
  return isRefused === wasRefused ? changeInWords(before, after) : [isRefused ? REFUSED : LOADED];
}

const REFUSED = "it cannot be loaded: the agent keeps what was loaded before";

const LOADED = "it can be loaded, which the other could not";

const NOT_ISOLATED =
  "it no longer restricts the runners: unless another policy does, everything is open to them, the EC2 instance metadata " +
  "(169.254.169.254:80/tcp) first";

const ISOLATED = "it restricts the runners, to whom everything was open";

function text(value: unknown): string {
  return value === undefined ? "missing" : canonicalJson(value);
}
