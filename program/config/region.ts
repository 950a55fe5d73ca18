import { type Cidr, parseCidr } from "../../analysis/index.ts";
import type { Input } from "../../analysis/input.ts";
import type { Destination } from "../../guardrails/declaration.ts";
import { readPorts } from "./ports.ts";

/** The members that say where a destination is. */
export const REGION_KEYS = ["cidrs", "pods", "ports"] as const;

/** Reads address blocks, or pods of one namespace, and ports. */
export function readRegion(input: Input): Pick<Destination, "cidrs" | "pods" | "ports"> | undefined {
  const cidrs = readCidrs(input.at("cidrs"));
  const pods = input.at("pods").object(["namespace", "labels"]);
  const namespace = pods?.at("namespace").required("the namespace of the pods").text("the namespace of the pods");
  const labels = pods?.at("labels").required("labels of the pods, such as {app: web}").textMap("labels of the pods");
  if (!input.has("pods")) {
    input.at("cidrs").required("blocks such as [10.1.100.0/24]; or pods: {namespace, labels}");
  }
  const ports = readPorts(input.at("ports").required("ports such as [5432/TCP]"));
  return (
    ports && {
      cidrs: cidrs ?? [],
      pods: namespace === undefined || labels === undefined ? [] : [{ namespace, labels }],
      ports,
    }
  );
}

/** A list of blocks. */
export function readCidrs(input: Input): Cidr[] | undefined {
  return input.parsedTexts("blocks such as 10.1.0.0/16", parseCidr);
}
