import { type Command, Option } from "commander";
import type { ReviewFlags } from "./commands/review.ts";
import type { ExitCode } from "./exitCode.ts";
import { addOutputOption } from "./options.ts";
import type { Terminal } from "./terminal.ts";

/** Adds `review`. */
export function addReview(
  program: Command,
  terminal: Terminal,
  done: (code: ExitCode) => void,
  examples: (...lines: readonly string[]) => string,
): void {
  const command = program
    .command("review")
    .summary("what the previews of a pull request would open and close")
    .description(
      "Reads previews of one or more stacks and says for each what the pods could newly reach and no longer reach.\n" +
        "A preview is the output of `pulumi preview --json`, best with PULUMI_ENABLE_STREAMING_JSON_PREVIEW=1, which also\n" +
        "lists what does not change and what the policy packs say. Several files of one stack are read together.",
    )
    .argument("<preview...>", "PATH or STACK=PATH; - for stdin")
    .option("--live <stack=path...>", "kubectl get networkpolicies -n NAMESPACE -o json: compare with what is live")
    .option("--drift", "say what the live policies allow beyond the program, and what they lack")
    .addOption(new Option("--fail-on <what...>", "exit with 1 on these").choices(["wider", "change", "violation"]))
    .option("--namespace <name>", "namespace of the pods (default: the contract's, else each policy's own)")
    .option("--pod-label <key=value...>", "labels of the pods")
    .addOption(
      new Option("--ip-family <family>", "the cluster's family, where the preview does not say it").choices([
        "ipv4",
        "ipv6",
      ]),
    )
    .option("--comment-key <key>", "markdown: tells several comments of one pull request apart");
  addOutputOption(command)
    .addHelpText(
      "after",
      examples(
        "review staging.json prod.json --output markdown",
        "review preview.json --fail-on wider violation",
        "review preview.json --live live.json --drift",
      ),
    )
    .action(async (previews: string[], flags: ReviewFlags) => {
      const { reviewCommand } = await import("./commands/review.ts");
      done(await reviewCommand(previews, flags, terminal));
    });
}
