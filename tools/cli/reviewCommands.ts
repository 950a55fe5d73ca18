import { Option } from "commander";
import type { ReportFlags } from "./commands/report.ts";
import type { ReviewFlags } from "./commands/review.ts";
import { type Adder, examples } from "./help.ts";
import { addAgentOptions, addOutputOption, namesOption, podLabelOption, repeatable } from "./options.ts";

/** Adds `review`. */
export const addReview: Adder = (program, terminal, done) => {
  const command = program
    .command("review")
    .summary("what the previews of a pull request would open and close")
    .description(
      "Reads previews of one or more stacks and says for each what the pods could newly reach and no longer reach.\n\n" +
        "A preview is the output of `pulumi preview --json`, best with PULUMI_ENABLE_STREAMING_JSON_PREVIEW=1, which also " +
        "lists what does not change and what the policy packs say. The digest and the events of one run may be given together.",
    )
    .argument("<preview...>", "PATH or STACK=PATH; - for stdin")
    .addOption(
      repeatable(
        "--live <stack=path>",
        "what is live, from kubectl get networkpolicies -n NAMESPACE -o json; takes the place of the state that Pulumi remembers",
      ),
    )
    .option("--drift", "with --live: say what the live policies allow beyond the program, and what they lack")
    .addOption(
      repeatable(
        "--fail-on <what>",
        "exit with 1 if a stack is wider, has any change of reach, or violates a policy of a pack; with 2 if that can't be said",
        ["wider", "change", "violation"],
      ),
    )
    .option(
      "--namespace <name>",
      "namespace of the pods, with --pod-label (default: those of the program's contract, else those that each policy selects)",
    )
    .addOption(podLabelOption("a label of the pods"))
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
        "review docs/examples/preview-staging.jsonl docs/examples/preview-prod.jsonl --output markdown",
        "review docs/examples/preview-staging.jsonl --fail-on wider",
        "review staging=docs/examples/preview-staging.jsonl --live staging=docs/examples/runner-staging.yaml --drift",
      ),
    )
    .action(async (previews: string[], flags: ReviewFlags) => {
      const { reviewCommand } = await import("./commands/review.ts");
      done(await reviewCommand(previews, flags, terminal));
    });
};

/** Adds `report`. */
export const addReport: Adder = (program, terminal, done) => {
  const command = program
    .command("report")
    .summary("one HTML file that shows and explains what the pods can reach")
    .description(
      "Writes a report that needs no network and no server: all of IPv4 as a map, IPv6 as a tree, the pods and services as " +
        "a graph, a search box that explains any destination, and before and after where there are both.",
    )
    .argument("[preview]", "PATH or STACK=PATH of a preview (see review); - for stdin")
    .addOption(repeatable("-f, --policy <path>", "policies instead of a preview: a YAML or JSON file, or a folder"))
    .addOption(repeatable("--before <path>", "with --policy: the policies to compare with"))
    .option("--out <file>", "where to write it", "egress-report.html")
    .option("--title <text>", "the title of the page")
    .addOption(namesOption())
    .option("--namespace <name>", "namespace of the pods")
    .addOption(podLabelOption("a label of the pods"));
  addAgentOptions(command)
    .addHelpText(
      "after",
      examples(
        "report docs/examples/preview-staging.jsonl --out staging.html",
        "report --policy docs/examples/runner-staging.yaml --before docs/examples/runner-2026-05.yaml",
      ),
    )
    .action(async (preview: string | undefined, flags: ReportFlags) => {
      const { reportCommand } = await import("./commands/report.ts");
      done(await reportCommand(preview, flags, terminal));
    });
};
