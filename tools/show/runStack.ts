import * as pulumi from "@pulumi/pulumi";
import { declareStack } from "../../program/declareStack.ts";
import { answerCall } from "../../program/facts/recordedLookups.ts";
import { RefusedError } from "../../program/refusedError.ts";
import type { StackFiles } from "../../program/stackFiles.ts";
import type { EgressNetworkPolicy } from "../../runner/networkPolicy.ts";
import type { StackReport } from "./report.ts";

/** What the program says of a stack, in order. */
export interface Message {
  readonly severity: "warning" | "info";
  readonly text: string;
}

/**
 * Runs the program for one stack under the SDK's mocks: AWS answers from the recorded facts, and the cluster has no
 * policy yet. One run at a time, because the SDK has one engine in a process.
 *
 * @param say is told what the program says, also where it refuses in the end
 * @throws {RefusedError} if the program refuses
 */
export async function runStack(
  { project, stack, values, facts }: StackFiles,
  say: (message: Message) => void = () => {},
): Promise<StackReport> {
  let policy: EgressNetworkPolicy | undefined;
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        if (type === "kubernetes:networking.k8s.io/v1:NetworkPolicy") {
          policy = inputs;
        }
        return { id: name, state: inputs };
      },
      call: ({ token, inputs }) =>
        token === "pulumi:pulumi:readStackOutputs" ? { outputs: {} } : answerCall(facts, token, inputs),
    },
    project.name,
    stack,
    true,
    "organization",
  );
  pulumi.runtime.setAllConfig({ ...values });
  const warnings: string[] = [];
  const { facts: found } = await declareStack({
    readLivePolicy: async () => undefined,
    log: {
      async warn(text) {
        warnings.push(text);
        say({ severity: "warning", text });
      },
      async info(text) {
        say({ severity: "info", text });
      },
    },
  }).catch((error: unknown) => {
    throw pulumi.RunError.isInstance(error) ? new RefusedError(error.message) : error;
  });
  await pulumi.runtime.disconnect();
  if (policy === undefined) {
    throw new Error(`the program of stack ${stack} registered no NetworkPolicy`);
  }
  return { stack, facts: found, policy, warnings };
}
