import { type Command, Option } from "commander";
import type { CheckFlags } from "./commands/check.ts";
import type { DiffFlags } from "./commands/diff.ts";
import type { DivergencesFlags } from "./commands/divergences.ts";
import type { ExplainFlags } from "./commands/explain.ts";
import type { RegionsFlags } from "./commands/regions.ts";
import { type Adder, examples } from "./help.ts";
import {
  addAgentOptions,
  addNodeOption,
  addOutputOption,
  addPolicyOptions,
  addSemanticsOption,
  addSemanticsOptions,
  addSenderOptions,
  namesOption,
  repeatable,
  type SemanticsFlags,
} from "./options.ts";
import { UsageError } from "./usageError.ts";

/** Adds `explain`. */
export const addExplain: Adder = (program, terminal, done) => {
  const command = program
    .command("explain")
    .summary("may the pod send to a destination, and why")
    .description(
      "Says for each destination whether the pod may send to it, and which rule and except decided.\n\n" +
        "Destinations: 10.1.7.7:443/tcp, [fd00:ec2::254]:80, service/NAMESPACE/NAME:PORT, pod/NAMESPACE/NAME:PORT, " +
        "host names (never resolved), or - for a list on stdin.",
    )
    .argument("<destination...>", "what the pod sends to");
  addOutputOption(addSemanticsOptions(addSenderOptions(addPolicyOptions(command)), "both"))
    .addHelpText(
      "after",
      examples(
        "explain 10.1.7.7:443/tcp --policy docs/examples/runner-staging.yaml",
        "explain 10.1.100.20:5432 '[fd00:ec2::254]:80' --policy docs/examples/runner-staging.yaml --semantics kubernetes",
        "explain service/kube-system/kube-dns:53/udp --policy docs/examples/runner-staging.yaml --inventory docs/examples/cluster.yaml",
        "explain - --policy docs/examples/runner-staging.yaml --output markdown < docs/examples/hosts.txt",
      ),
    )
    .action(async (destinations: string[], flags: ExplainFlags) => {
      const { explainCommand } = await import("./commands/explain.ts");
      done(await explainCommand(destinations, flags, terminal));
    });
};

/** Adds `diff`. */
export const addDiff: Adder = (program, terminal, done) => {
  const command = program
    .command("diff")
    .summary("what a change would open and close")
    .description(
      "Compares what two sets of policies allow: files, folders, stack:NAME, context:NAME (a live cluster), or - for stdin.\n\n" +
        "With --lines, reads JSON lines {id, before, after, pod?, ipFamily?, nodeIp?} and writes the exact counts of " +
        "(address, port) pairs gained and lost.",
    )
    .argument("[before]", "the policies as they are")
    .argument("[after]", "the policies as they would be")
    .option("--lines", "read pairs of policy sets from stdin, one JSON object a line")
    .addOption(namesOption())
    .addOption(limitOption());
  addOutputOption(addSemanticsOptions(addSenderOptions(command), "both; with --lines kubernetes"))
    .addHelpText(
      "after",
      examples(
        "diff docs/examples/runner-2026-05.yaml docs/examples/runner-staging.yaml",
        "diff docs/examples/runner-staging.yaml docs/examples/runner-prod.yaml --names 10.1.0.0/16=staging-vpc --names 10.0.0.0/16=prod-vpc",
        "diff --lines < docs/examples/pairs.jsonl",
      ),
    )
    .action(
      async (
        before: string | undefined,
        after: string | undefined,
        flags: DiffFlags & { readonly lines?: boolean },
        used: Command,
      ) => {
        if (flags.lines === true) {
          if (before !== undefined) {
            throw new UsageError("diff --lines reads stdin and takes no BEFORE and AFTER");
          }
          refuseForLines(used);
          const { diffLinesCommand } = await import("./commands/diffLines.ts");
          done(await diffLinesCommand(flags, terminal));
          return;
        }
        if (before === undefined || after === undefined) {
          throw new UsageError(
            "diff needs two sides: diff BEFORE AFTER (files, folders, stack:NAME or context:NAME), or diff --lines",
          );
        }
        const { diffCommand } = await import("./commands/diff.ts");
        done(await diffCommand(before, after, flags, terminal));
      },
    );
};

/** Adds `regions`. */
export const addRegions: Adder = (program, terminal, done) => {
  const command = program
    .command("regions")
    .summary("every region of destinations with its verdict")
    .description("Lists all destinations as disjoint regions with their verdicts, pods by label, and exact sizes.")
    .addOption(new Option("--verdict <verdict>", "only these").choices(["allow", "deny", "order-dependent"]))
    .addOption(new Option("--family <family>", "only these addresses").choices(["ipv4", "ipv6"]));
  addOutputOption(addSemanticsOptions(addSenderOptions(addPolicyOptions(command)), "kubernetes"))
    .addHelpText(
      "after",
      examples(
        "regions --policy docs/examples/runner-staging.yaml --verdict allow",
        "regions --policy docs/examples/runner-staging.yaml --semantics vpc-cni --family ipv4 --output json",
      ),
    )
    .action(async (flags: RegionsFlags) => {
      const { regionsCommand } = await import("./commands/regions.ts");
      done(await regionsCommand(flags, terminal));
    });
};

/** Adds `divergences`. */
export const addDivergences: Adder = (program, terminal, done) => {
  const command = program
    .command("divergences")
    .summary("where EKS enforces something else than Kubernetes specifies")
    .description(
      "Lists each region on which the AWS network policy agent does something else than the Kubernetes API reference says, " +
        "with an example and the shape of rules that causes it (docs/semantics.md).",
    )
    .addOption(
      repeatable("--accept <shape>", "a shape that is known and does not count, such as other-family-not-enforced"),
    )
    .addOption(limitOption());
  addOutputOption(addNodeOption(addAgentOptions(addSenderOptions(addPolicyOptions(command)))))
    .addHelpText(
      "after",
      examples(
        "divergences --policy docs/examples/runner-staging.yaml --node-ip 10.1.20.7",
        "divergences --policy docs/examples/runner-staging.yaml --accept other-family-not-enforced",
      ),
    )
    .action(async (flags: DivergencesFlags) => {
      const { divergencesCommand } = await import("./commands/divergences.ts");
      done(await divergencesCommand(flags, terminal));
    });
};

/** Adds `check`. */
export const addCheck: Adder = (program, terminal, done) => {
  const command = program
    .command("check")
    .summary("assertions about what must be allowed or denied")
    .description("Checks an assertion file exactly, over all destinations that it names (docs/assertions.md).")
    .argument("<assertions>", "the assertion file, YAML or JSON")
    .option("--cluster-family-only", "vpc-cni: leave out addresses of the family that is not the cluster's");
  addOutputOption(addSemanticsOptions(addSenderOptions(addPolicyOptions(command)), "both"), ["junit"])
    .addHelpText(
      "after",
      examples(
        "check docs/examples/assertions.yaml --policy docs/examples/runner-staging.yaml --semantics kubernetes",
        "check docs/examples/assertions.yaml --policy docs/examples/runner-staging.yaml --cluster-family-only --output junit",
      ),
    )
    .action(async (file: string, flags: CheckFlags) => {
      const { checkCommand } = await import("./commands/check.ts");
      done(await checkCommand(file, flags, terminal));
    });
};

/** Adds `evaluate`. */
export const addEvaluate: Adder = (program, terminal, done) => {
  const command = program
    .command("evaluate")
    .summary("verdicts for machines, as JSON lines")
    .description(
      "Reads JSON lines {id, policies, points: [{ip, protocol, port}], pod?, ipFamily?, nodeIp?} and writes " +
        "{id, verdicts}, {id, aborts: true, reasons} or {id, error}, in the same order (docs/cli.md).",
    );
  addAgentOptions(addSemanticsOption(command, "kubernetes"))
    .addHelpText(
      "after",
      examples(
        "evaluate < docs/examples/sets.jsonl",
        "evaluate --semantics vpc-cni --agent-version 1.2.3 < docs/examples/sets.jsonl",
      ),
    )
    .action(async (flags: SemanticsFlags) => {
      const { evaluateCommand } = await import("./commands/evaluate.ts");
      done(await evaluateCommand(flags, terminal));
    });
};

/** Each line says all that these options say, and JSON is its only form. */
function refuseForLines(command: Command): void {
  const others = ["namespace", "podLabel", "pod", "inventory", "context", "names", "limit", "output"];
  const given = command.options.filter(
    (option) =>
      others.includes(option.attributeName()) && command.getOptionValueSource(option.attributeName()) === "cli",
  );
  if (given.length > 0) {
    const names = given.map(({ long }) => long).join(", ");
    throw new UsageError(`${names}: has no effect with diff --lines, where each line says which pod sends (pod)`);
  }
}

function limitOption(): Option {
  return new Option("--limit <number>", "how many rows of text or Markdown to show, 0 for all")
    .default(50)
    .argParser((text) => {
      if (!/^\d+$/.test(text)) {
        throw new UsageError(`--limit ${text}: must be a whole number, 0 for no limit`);
      }
      return Number(text);
    });
}
