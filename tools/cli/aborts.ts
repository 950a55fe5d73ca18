import { type EgressAnalysis, formatReference, referenceTo } from "../../analysis/index.ts";

/** Why the AWS agent cannot load the policies, one reason for each `except`; empty where it can. */
export function abortReasons(analysis: EgressAnalysis): string[] {
  return analysis.aborts.map(({ term, except }) => {
    const reference = referenceTo(analysis, term, { except });
    return `the kernel refuses ${formatReference(reference)} as a map key: another address family, longer than /32`;
  });
}
