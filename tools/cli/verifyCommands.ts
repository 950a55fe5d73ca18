import { Option } from "commander";
import type { VerifyFlags } from "./commands/verify.ts";
import { type Adder, examples } from "./help.ts";
import { addPolicyOptions, addSemanticsOption } from "./options.ts";
import { UsageError } from "./usageError.ts";

/** Adds `verify`. */
export const addVerify: Adder = (program, terminal, done) => {
  const command = program
    .command("verify")
    .summary("prove on a cluster that the policy is enforced")
    .description(
      "Tries what the policy allows and what it must deny from a pod that it selects and, for comparison, from one that " +
        "nothing selects. It creates two Jobs and deletes them; it changes nothing else (docs/verify.md).",
    );
  addSemanticsOption(addPolicyOptions(command), "that of the cluster's enforcer")
    .option("--namespace <name>", "namespace of a policy that does not name its own")
    .option("--context <name>", "kubeconfig context of the cluster (default: the current one)")
    .option(
      "--targets <file>",
      "hosts that really listen (default with --stack NAME: verify.NAME.yaml, if it is there)",
    )
    .option("--control-namespace <name>", "where the control runs (default: the policy's namespace)")
    .option(
      "--image <reference>",
      "an image with sh, dig and /agnhost (default: the targets file's, else Kubernetes' agnhost)",
    )
    .addOption(new Option("--image-pull-policy <policy>").choices(["Always", "IfNotPresent", "Never"]))
    .addOption(secondsOption("--converge", "how long a new pod may stay open (default: 90)"))
    .addOption(secondsOption("--hold", "how long to watch after that (default: 10)"))
    .addOption(secondsOption("--attempt", "how long one attempt waits for an answer (default: 2)"))
    .addOption(secondsOption("--start", "how long a pod may take to start (default: 90)"))
    .addOption(secondsOption("--ttl", "how long finished Jobs stay if this command can't delete them (default: 60)"))
    .option("--dry-run", "look and plan, but create nothing")
    .addOption(
      new Option(
        "-o, --output <format>",
        "text, json, junit or markdown; with --dry-run table, json or yaml, which is the manifests",
      ).choices(["text", "json", "junit", "markdown", "table", "yaml"]),
    )
    .addHelpText(
      "after",
      examples(
        "verify --stack staging --context staging",
        "verify --policy docs/examples/runner-staging.yaml --targets docs/examples/verify-targets.yaml --dry-run",
        "verify --policy docs/examples/runner-staging.yaml --dry-run --output yaml",
      ),
    )

    .action(async (flags: VerifyFlags) => {
      const { verifyCommand } = await import("./commands/verify.ts");
      done(await verifyCommand(flags, terminal));
    });
};

function secondsOption(name: string, description: string): Option {
  return new Option(`${name} <seconds>`, description).argParser((text) => {
    if (!/^[1-9]\d{0,3}$/.test(text)) {
      throw new UsageError(`${name} ${text}: must be a whole number of seconds, 1 to 9999`);
    }
    return Number(text);
  });
}
