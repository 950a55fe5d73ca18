import type { NetworkFacts } from "../../../runner/networkFacts.ts";
import type { EgressNetworkPolicy } from "../../../runner/networkPolicy.ts";
import type { Run } from "../engine/run.ts";
import type { Diagnostic } from "../engine/transcript.ts";

/** What a run of one stack's program came to. */
export interface StackReport {
  readonly stack: string;
  /** The facts among the stack's outputs. */
  readonly facts: NetworkFacts;
  /** The policy as the program registered it. */
  readonly policy: EgressNetworkPolicy;
  /** What the program had to say, such as what it acknowledges. */
  readonly warnings: readonly string[];
}

const POLICY_TYPE = "kubernetes:networking.k8s.io/v1:NetworkPolicy";

/** The report of a run that succeeded. The program says what the casts say; its own tests hold it to that. */
export function stackReport(stack: string, { registrations, stackOutputs, diagnostics }: Run): StackReport {
  const policy = registrations.find(({ type }) => type === POLICY_TYPE);
  if (policy === undefined) {
    throw new Error(`the program of stack ${stack} registered no NetworkPolicy`);
  }
  return {
    stack,
    facts: stackOutputs.facts as unknown as NetworkFacts,
    policy: policy.inputs as unknown as EgressNetworkPolicy,
    warnings: messages(diagnostics, "warning"),
  };
}

/** The messages of one severity, in order. */
export function messages(diagnostics: readonly Diagnostic[], severity: Diagnostic["severity"]): string[] {
  return diagnostics.filter((diagnostic) => diagnostic.severity === severity).map(({ message }) => message.trimEnd());
}
