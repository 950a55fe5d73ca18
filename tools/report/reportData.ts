import {
  type AddressFamily,
  compile,
  type EgressAnalysis,
  parseCidr,
  parseNetworkPolicies,
  SELECTED_BY_EVERY_POLICY,
  type Semantics,
} from "../../analysis/index.ts";
import type { Names, PlacedBlock } from "../review/networkFacts.ts";
import { readingsOf } from "../review/stackReview.ts";

/** What a report is made from, as JSON: everything that the page computes, it computes from this. */
export interface ReportData {
  readonly title: string;
  /** Where the policies come from, in a few words. */
  readonly origin: string;
  /** The pods; `null`: whatever the policies select. */
  readonly source: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> } | null;
  /** Names for blocks besides those of the registries. */
  readonly names: readonly (Pick<PlacedBlock, "name" | "place"> & { readonly cidr: string })[];
  /** What the program calls pods, by the text of the analysis for them. */
  readonly pods: Readonly<Record<string, string>>;
  /** The cluster's family; `null`: not known, so only the reading of Kubernetes is shown. */
  readonly ipFamily: AddressFamily | null;
  /** Versions of the network policy agent; `null`: the newest known. */
  readonly agent: { readonly before: string | null; readonly after: string | null };
  /** NetworkPolicy objects; `null`: there is nothing to compare with. */
  readonly before: readonly unknown[] | null;
  readonly after: readonly unknown[];
}

/** One reading of the policies on both sides. */
export interface ReportReading {
  readonly name: Semantics["name"];
  readonly before: EgressAnalysis | undefined;
  readonly after: EgressAnalysis;
}

/** The policies of a report, compiled. */
export interface ReportModel {
  readonly names: Names;
  /** As enforced first, where the family is known. */
  readonly readings: readonly ReportReading[];
}

/**
 * Compiles the data of a report.
 *
 * @throws {ProblemsError} for policies that the API server would refuse.
 */
export function reportModel({ ipFamily, agent, source, ...data }: ReportData): ReportModel {
  const compiled = (objects: readonly unknown[], semantics: Semantics) =>
    compile(objects.length === 0 ? [] : parseNetworkPolicies(objects), {
      semantics,
      source: source ?? SELECTED_BY_EVERY_POLICY,
    });
  return {
    names: {
      blocks: data.names.map(({ cidr, ...rest }) => ({ cidr: parseCidr(cidr), ...rest })),
      pods: new Map(Object.entries(data.pods)),
    },
    readings: readingsOf(ipFamily, agent).map(({ name, before, after }) => ({
      name,
      before: data.before === null ? undefined : compiled(data.before, before),
      after: compiled(data.after, after),
    })),
  };
}
