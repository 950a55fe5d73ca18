/**
 * Asks whether reality is still what a stack deployed: `npm run ci:drift -- staging [--out drift]`. Exit status 0: it is;
 * 1: something moved; 2: it could not be told. Two questions, because the first is blind to what somebody appended:
 * a preview with a refresh has nothing to change, and the live object says exactly what the program says.
 */
import { parseArgs } from "node:util";
import { describeDrift } from "../runner/drift.ts";
import { runStep, stackArgument } from "../tools/refusal.ts";
import { enforcedBy, factChanges, planContext } from "../tools/review/networkFacts.ts";
import { isObject, resourceName } from "../tools/review/plan.ts";
import { Cluster } from "../tools/verify/cluster.ts";
import { plannedPolicy, runnersOf } from "./steps/approval.ts";
import { accessTo, plannedCluster } from "./steps/cluster.ts";
import type { DriftRecord } from "./steps/files.ts";
import { fileNames, save } from "./steps/files.ts";
import { previewStack } from "./steps/previewStack.ts";

/** A NetworkPolicy on the cluster. */
interface LivePolicy {
  readonly metadata: { readonly name: string };
  readonly spec?: unknown;
}

await runStep(async () => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { out: { type: "string", default: "drift" } },
  });
  const stack = stackArgument(positionals, "npm run ci:drift -- staging");
  const record = await driftOf(stack, values.out);
  save(fileNames.drift(values.out, stack), record);
  process.stdout.write(`${stack}: ${record.state}\n${record.reasons.map((reason) => `  - ${reason}\n`).join("")}`);
  return { same: 0, moved: 1, unknown: 2 }[record.state];
});

async function driftOf(stack: string, folder: string): Promise<DriftRecord> {
  const { status, events, plan } = await previewStack(stack, "--expect-no-changes");
  save(fileNames.events(folder, stack), events);
  const { before, after: facts } = planContext(plan);
  const policy = plannedPolicy(plan);
  const cluster = plannedCluster(plan);
  if (policy === undefined || cluster === undefined || plan.errors.length > 0) {
    return {
      stack,
      state: "unknown",
      reasons: [...plan.errors, "the preview does not say which policy it would make on which cluster"],
    };
  }
  let items: readonly LivePolicy[];
  try {
    const found = await new Cluster(await accessTo(cluster)).list<LivePolicy>("networkpolicies", policy.namespace);
    if (found === undefined) {
      throw new Error("the cluster serves no NetworkPolicies");
    }
    // A list of a built-in kind has neither kinds nor versions in its items.
    items = found.map((item) => ({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", ...item }));
  } catch (error) {
    return { stack, state: "unknown", reasons: [(error as Error).message] };
  }
  save(fileNames.live(folder, stack), { apiVersion: "v1", kind: "List", items });
  const live = items.find(({ metadata }) => metadata.name === policy.name);
  const id = `NetworkPolicy ${policy.namespace}/${policy.name}`;
  const reasons = [
    ...factChanges(before, facts).map(
      ({ what, before: was, after: is }) => `${what} was ${was ?? "not there"}, now it is ${is ?? "gone"}`,
    ),
    // Whose doing it is, where the program can tell: somebody's, or an admission webhook's.
    ...plan.warnings.flatMap((warning) => (warning.startsWith(`${id}: `) ? (warning.split(". Against")[0] ?? []) : [])),
    ...(live === undefined
      ? [`${id} is gone`]
      : describeDrift(isObject(live.spec) ? live.spec : {}, policy.spec, runnersOf(policy), enforcedBy(facts)).map(
          (line) => `${id}: ${line}`,
        )),
    ...plan.resources
      .filter(({ operations }) => operations.some((operation) => operation !== "same"))
      .map(({ urn, operations }) => `the next update would ${operations.join(" and ")} ${resourceName(urn)}`),
  ];
  if (reasons.length === 0 && status !== 0) {
    return { stack, state: "unknown", reasons: [`pulumi preview ended with ${status}`] };
  }
  return { stack, state: reasons.length > 0 ? "moved" : "same", reasons };
}
