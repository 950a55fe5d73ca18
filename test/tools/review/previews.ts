import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readPreview, type StackPlan } from "../../../tools/review/index.ts";

/** The text of a recorded preview. */
export function recording(name: string): string {
  return readFileSync(fileURLToPath(new URL(`recordings/${name}`, import.meta.url)), "utf8");
}

/** A recorded preview as a plan. */
export function recordedPlan(name: string): StackPlan {
  return readPreview({ name, text: recording(name) });
}

/** A made-up step: operation, resource type and name, and the objects before and after. */
export interface MadeStep {
  readonly op: string;
  readonly type?: string;
  readonly name?: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

const TYPE = "kubernetes:networking.k8s.io/v1:NetworkPolicy";

/** Engine events of made-up steps and whatever other events are given, as the engine writes them; a summary ends them. */
export function events(steps: readonly MadeStep[], others: readonly object[] = [], stack = "dev"): string {
  const all = [
    ...steps.map(({ op, type = TYPE, name = "policy", before, after }) => {
      const urn = `urn:pulumi:${stack}::project::${type}::${name}`;
      const state = (inputs: unknown) => (inputs === undefined ? null : { type, urn, inputs, outputs: inputs });
      return { resourcePreEvent: { metadata: { op, urn, type, old: state(before), new: state(after) } } };
    }),
    ...others,
    ...(others.some((event) => "summaryEvent" in event) ? [] : [{ summaryEvent: { result: "succeeded" } }]),
  ];
  return all.map((event, sequence) => JSON.stringify({ sequence, ...event })).join("\n");
}

/** A plan of made-up steps. */
export function plan(steps: readonly MadeStep[], others: readonly object[] = [], stack = "dev"): StackPlan {
  return readPreview({ name: "made-up", text: events(steps, others, stack), stack });
}

/** A NetworkPolicy for pods `app=worker` in namespace `shop`. */
export function policy(egress: readonly unknown[], metadata: object = {}): Record<string, unknown> {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "worker", namespace: "shop", ...metadata },
    spec: { podSelector: { matchLabels: { app: "worker" } }, policyTypes: ["Egress"], egress },
  };
}

/** A rule for one block. */
export function block(cidr: string, except: readonly string[] = [], ports?: readonly unknown[]): object {
  return {
    to: [{ ipBlock: { cidr, ...(except.length > 0 && { except }) } }],
    ...(ports && { ports }),
  };
}
