import { readAddress } from "./addresses.ts";
import type { Case } from "./arbitraries.ts";
import { countChange } from "./count.ts";
import { type EngineOptions, engineChange, engineVerdicts } from "./engine.ts";
import { kubernetesVerdict, kubernetesVerdictAt } from "./kubernetes.ts";
import { boundaryPoints } from "./points.ts";
import type { NetworkPolicy, Point } from "./policy.ts";
import { vpcCniPod } from "./vpcCni.ts";

export type SemanticsName = EngineOptions["semantics"];

export const SEMANTICS_NAMES: readonly SemanticsName[] = ["kubernetes", "vpc-cni"];

/** Where the engine and the oracle part; `point` is missing where they part about the set as a whole. */
export interface Disagreement {
  readonly point?: Point;
  readonly oracle: string;
  readonly engine: string;
}

export interface Comparison {
  readonly points: number;
  readonly disagreement?: Disagreement;
}

/** Asks both about the boundary points of a case and stops at the first difference. An error of the engine is one. */
export function compareVerdicts(subject: Case, semantics: SemanticsName, portsEach: number): Comparison {
  const points = boundaryPoints(subject, { portsEach, portless: semantics === "vpc-cni" });
  const pod = semantics === "vpc-cni" ? vpcCniPod(subject.policies, subject.source, subject) : undefined;
  let engine: ReturnType<typeof engineVerdicts>;
  try {
    engine = engineVerdicts(subject.policies, subject.source, points, optionsOf(subject, semantics));
  } catch (error) {
    return { points: 0, disagreement: { oracle: "accepts", engine: String(error) } };
  }
  const aborts = pod?.aborts ?? false;
  if (engine.aborts !== aborts) {
    return { points: 0, disagreement: { oracle: `aborts: ${aborts}`, engine: `aborts: ${engine.aborts}` } };
  }
  if (aborts) {
    return { points: 0 };
  }
  for (const [index, point] of points.entries()) {
    const oracle =
      pod === undefined
        ? kubernetesVerdict(subject.policies, subject.source, point)
        : pod.verdictAt(readAddress(point.ip), point.protocol, point.port);
    if (engine.verdicts[index] !== oracle) {
      return { points: index + 1, disagreement: { point, oracle, engine: `${engine.verdicts[index]}` } };
    }
  }
  return { points: points.length };
}

/** Holds the engine's count of a change from one case's policies to another's against the brute-force count. */
export function compareChange(
  before: Case,
  after: readonly NetworkPolicy[],
  semantics: SemanticsName,
): Disagreement | undefined {
  const pods = [before.policies, after].map((policies) => vpcCniPod(policies, before.source, before));
  if (semantics === "vpc-cni" && pods.some(({ aborts }) => aborts)) {
    return undefined;
  }
  const oracle = countChange(
    before.policies,
    after,
    (policies) => {
      const pod = vpcCniPod(policies, before.source, before);
      return semantics === "vpc-cni"
        ? (...point) => pod.verdictAt(...point)
        : (...point) => kubernetesVerdictAt(policies, before.source, ...point);
    },
    before.nodeIp,
  );
  const engine = engineChange(before.policies, after, before.source, optionsOf(before, semantics));
  const [wanted, found] = [oracle, engine].map(textOf);
  return wanted === found ? undefined : { oracle: `${wanted}`, engine: `${found}` };
}

function optionsOf({ ipFamily, nodeIp, agent }: Case, semantics: SemanticsName): EngineOptions {
  return semantics === "kubernetes" ? { semantics } : { semantics, ipFamily, nodeIp, agent };
}

function textOf(counts: ReturnType<typeof countChange>): string {
  return JSON.stringify(counts, (_key, value: unknown) => (typeof value === "bigint" ? `${value}` : value));
}
