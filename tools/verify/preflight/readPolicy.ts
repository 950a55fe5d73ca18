import { EVERYTHING, type LabelSelector } from "../../../analysis/labelSelector.ts";
import type { NetworkPolicy } from "../../../analysis/networkPolicy.ts";
import { parseNetworkPolicies } from "../../../analysis/parseNetworkPolicy.ts";
import { ProblemsError } from "../../../analysis/problems.ts";
import type { PolicyObject } from "../objects.ts";

/** The policy that an object is, or why it can't be analysed. */
export function readPolicy({ metadata, spec }: Pick<PolicyObject, "metadata" | "spec">): NetworkPolicy | ProblemsError {
  try {
    return parseNetworkPolicies([{ metadata, spec }])[0] as NetworkPolicy;
  } catch (error) {
    if (error instanceof ProblemsError) {
      return error;
    }
    throw error;
  }
}

/** A label selector as a NetworkPolicy would hold it; `undefined` for anything else. */
export function readSelector(selector: unknown): LabelSelector | undefined {
  if (selector === undefined || selector === null) {
    return EVERYTHING;
  }
  const policy = readPolicy({ metadata: { name: "selector" }, spec: { podSelector: selector } });
  return policy instanceof ProblemsError ? undefined : policy.podSelector;
}
