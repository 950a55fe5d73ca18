import type { NetworkFacts } from "../../../runner/networkFacts.ts";
import type { EgressNetworkPolicy } from "../../../runner/networkPolicy.ts";

/** What a run of one stack's program came to. */
export interface StackReport {
  readonly stack: string;
  readonly facts: NetworkFacts;
  /** The policy as the program registered it. */
  readonly policy: EgressNetworkPolicy;
  /** What the program had to say, such as what it acknowledges. */
  readonly warnings: readonly string[];
}
