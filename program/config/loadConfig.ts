import * as pulumi from "@pulumi/pulumi";
import { forUser } from "./forUser.ts";
import { readConfig } from "./readConfig.ts";
import type { StackConfig } from "./stackConfig.ts";
import { today } from "./today.ts";

/**
 * The config of the stack that runs.
 *
 * @throws {pulumi.RunError} with every problem of the config; it prints without a stack trace.
 */
export function loadConfig(): StackConfig {
  try {
    return readConfig({
      project: pulumi.getProject(),
      stack: pulumi.getStack(),
      values: pulumi.runtime.allConfig(),
      today: today(),
    });
  } catch (error) {
    throw forUser(error);
  }
}
