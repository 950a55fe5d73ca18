import * as pulumi from "@pulumi/pulumi";
import { readConfig } from "./readConfig.ts";
import type { StackConfig } from "./stackConfig.ts";

/**
 * The config of the stack that runs.
 *
 * @throws {ProblemsError} with every problem of the config.
 */
export function loadConfig(): StackConfig {
  return readConfig({
    project: pulumi.getProject(),
    stack: pulumi.getStack(),
    values: pulumi.runtime.allConfig(),
  });
}
