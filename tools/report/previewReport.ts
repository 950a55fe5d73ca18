import { formatCidr, type Source } from "../../analysis/index.ts";
import { enforcement } from "../review/networkFacts.ts";
import type { StackPlan } from "../review/plan.ts";
import { premisesOf } from "../review/reviewStack.ts";
import { subjectName } from "../review/wording.ts";
import type { ReportData } from "./reportData.ts";

/**
 * Takes from a preview what a report shows.
 *
 * @param chosen the pods in question. Default: the contract's, else those that all the policies select.
 * @returns also why the policies are not known; where there are reasons, nothing may be shown
 */
export function previewReport(plan: StackPlan, chosen?: Source): { data: ReportData; obstacles: readonly string[] } {
  const premises = premisesOf(plan, chosen === undefined ? {} : { source: chosen });
  const { context, names, sources, obstacles } = premises;
  const { objects, changes } = premises.policies;
  const [source] = sources;
  const [old, fresh] = [enforcement(context.before), enforcement(context.after)];
  const isUnknown = objects.after.length === 0 && !changes.some(({ kind }) => kind === "deleted");
  const data: ReportData = {
    title: reportTitle(source, plan.stack),
    origin: `Preview of the stack ${plan.stack}`,
    source: source ?? null,
    names: names.blocks.map(({ cidr, ...rest }) => ({ cidr: formatCidr(cidr), ...rest })),
    pods: Object.fromEntries(names.pods),
    ipFamily: fresh.ipFamily ?? old.ipFamily ?? null,
    agent: { before: old.agentVersion ?? null, after: fresh.agentVersion ?? null },
    before: objects.before.length === 0 ? null : objects.before,
    after: objects.after,
  };
  return {
    data,
    obstacles: [
      ...obstacles,
      ...(sources.length > 1
        ? [
            `its policies are about different pods (${sources.map((one) => subjectName({ source: one })).join("; ")}); choose with --namespace and --pod-label`,
          ]
        : []),
      ...(isUnknown && obstacles.length === 0
        ? ["the preview has no NetworkPolicy; a digest lists only what changes, so give engine events"]
        : []),
    ],
  };
}

/** What a report is called where nobody says. */
export function reportTitle(source: Source | undefined, stack?: string): string {
  const who = source === undefined ? "the selected pods" : Object.values(source.labels).join(", ");
  return `Egress of ${who}${stack === undefined ? "" : `, ${stack}`}`;
}
