import { existsSync, readFileSync } from "node:fs";
import { loadAll } from "js-yaml";
import type { Acknowledgement } from "../../program/config/stackConfig.ts";

/** Why a stack accepts a finding, by its config; `undefined`: it does not. The program checks the rest of the config. */
export function acknowledgement(stack: string, name: Acknowledgement): string | undefined {
  const path = `Pulumi.${stack}.yaml`;
  const { config } = ((existsSync(path) && loadAll(readFileSync(path, "utf8"))[0]) || {}) as {
    readonly config?: Readonly<Record<string, Partial<Record<Acknowledgement, unknown>> | undefined>>;
  };
  const reason = config?.["runner-egress:acknowledge"]?.[name];
  return typeof reason === "string" && reason.trim() !== "" ? reason : undefined;
}
