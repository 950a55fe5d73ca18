import { type Cidr, parseCidr } from "../../analysis/index.ts";
import { type Destination, declaredPorts } from "../../guardrails/declaration.ts";
import type { Fields } from "./fields.ts";
import { portsOf } from "./ports.ts";

/** The members that say where a destination is. */
export const REGION_KEYS = ["cidrs", "pods", "ports"] as const;

/** Reads address blocks, or pods of one namespace, and ports. */
export function readRegion(fields: Fields): Pick<Destination, "cidrs" | "pods" | "ports"> | undefined {
  const cidrs = cidrsOf(fields, "cidrs");
  const pods = fields.object("pods", ["namespace", "labels"]);
  const namespace = pods?.text("namespace", "the namespace of the pods");
  const labels = pods?.textMap("labels", "labels of the pods");
  if (pods !== undefined) {
    if (!pods.has("namespace")) {
      pods.missing("namespace", "the namespace of the pods");
    }
    if (!pods.has("labels")) {
      pods.missing("labels", "labels of the pods, such as {app: web}");
    }
  } else if (!fields.has("cidrs") && !fields.has("pods")) {
    fields.missing("cidrs", "blocks such as [10.1.100.0/24]; or pods: {namespace, labels}");
  }
  const ports = portsOf(fields, "ports");
  if (!fields.has("ports")) {
    fields.missing("ports", "ports such as [5432/TCP]");
  }
  return ports === undefined
    ? undefined
    : {
        cidrs: cidrs ?? [],
        pods: namespace === undefined || labels === undefined ? [] : [{ namespace, labels }],
        ports: ports.map(declaredPorts),
      };
}

/** A member that lists blocks. */
export function cidrsOf(fields: Fields, name: string): Cidr[] | undefined {
  const texts = fields.texts(name, "blocks such as 10.1.0.0/16");
  const problems: string[] = [];
  const cidrs = texts?.flatMap((text) => {
    try {
      return [parseCidr(text)];
    } catch (error) {
      problems.push((error as RangeError).message);
      return [];
    }
  });
  return problems.length === 0 ? cidrs : fields.wrong(name, problems.join("; "));
}
