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
