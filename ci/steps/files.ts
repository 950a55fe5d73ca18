import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Refusal } from "../../tools/refusal.ts";
import type { Approval } from "./approval.ts";

/** The files that steps and jobs hand on; all lie in one folder, which the workflows upload. */
export const fileNames = {
  /** Engine events of the stack's preview. */
  events: (folder: string, stack: string) => join(folder, `${stack}.events.jsonl`),
  /** What that preview would do, for the deploy to keep to. */
  approval: (folder: string, stack: string) => join(folder, `${stack}.approval.json`),
  /** The report of that preview, as a page. */
  report: (folder: string, stack: string) => join(folder, `${stack}.report.html`),
  /** NetworkPolicies in the runner's namespace, as a list of Kubernetes objects. */
  live: (folder: string, stack: string) => join(folder, `${stack}.live.json`),
  /** Whether the stack drifted. */
  drift: (folder: string, stack: string) => join(folder, `${stack}.drift.json`),
  /** Says that the stack was deployed and verified. */
  deployed: (folder: string, stack: string) => join(folder, `${stack}.deployed.json`),
  /** The policy that was deployed, for `egress verify`. */
  policy: (folder: string, stack: string) => join(folder, `${stack}.policy.json`),
  kubeconfig: (folder: string, stack: string) => join(folder, `${stack}.kubeconfig`),
};

/** What a drift check of a stack found. */
export interface DriftRecord {
  readonly stack: string;
  /** `unknown`: the check itself failed. */
  readonly state: "same" | "moved" | "unknown";
  /** One sentence each; empty for `same`. */
  readonly reasons: readonly string[];
}

/** Where steps put their files. */
export const DEFAULT_FOLDER = "previews";

/** Writes a file and the folder it is in; an object as JSON. */
export function save(path: string, content: string | object): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`);
}

/** Writes a file that only its owner may read: client programs warn of any other kubeconfig. */
export function savePrivate(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { mode: 0o600 });
}

/** Reads what a step wrote as JSON; `undefined` where it wrote nothing. */
export function load<T>(path: string): T | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as T) : undefined;
}

/** The approval of a stack. */
export function loadApproval(folder: string, stack: string): Approval {
  const path = fileNames.approval(folder, stack);
  const approval = load<Approval>(path);
  if (approval === undefined) {
    throw new Refusal(`There is no ${path}: nothing was previewed without errors that could be deployed.`);
  }
  return approval;
}
