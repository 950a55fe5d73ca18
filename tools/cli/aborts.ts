import { type EgressAnalysis, formatReference, referenceTo } from "../../analysis/index.ts";

/** Whether no verdict of the policies holds: the agent cannot load them, or labels that only an inventory resolves decide. */
export function isUndecided({ aborts, ifIsolated }: EgressAnalysis): boolean {
  return aborts.length > 0 || ifIsolated !== undefined;
}

/** Why the AWS agent cannot load the policies, one reason for each block; empty where it can. */
export function abortReasons(analysis: EgressAnalysis): string[] {
  return analysis.aborts.map(({ term, except, why }) => {
    const place = formatReference(referenceTo(analysis, term, { except }));
    const { written } = (except === undefined ? term.cidr : term.excepts[except]) ?? {};
    return why === "key-too-long"
      ? `the kernel refuses ${place} as a map key: another address family, longer than /32`
      : `it cannot read ${place} as it is written, ${written}`;
  });
}
