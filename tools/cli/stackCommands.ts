import { Option } from "commander";
import type { RecordFlags } from "./commands/record.ts";
import type { ShowFlags } from "./commands/show.ts";
import { type Adder, examples } from "./help.ts";
import { repeatable } from "./options.ts";

/** Adds `show`. */
export const addShow: Adder = (program, terminal, done) => {
  program
    .command("show")
    .summary("each stack's policy, and what differs between the stacks")
    .description(
      "Runs the real program for each stack, with the facts in facts/STACK.json in the place of AWS and a cluster that has no " +
        "policy yet, and shows the facts, the rules and the differences. Needs neither an account nor a network.\n\n" +
        "A stack that can't be shown, because its program refuses it (1), because it has no facts yet (2) or because its files " +
        "are wrong (3), leaves the others shown.",
    )
    .addOption(repeatable("--stack <name>", "only this one (default: every stack that has a Pulumi.STACK.yaml)"))
    .addOption(
      new Option("-o, --output <format>", "table, yaml, which is the manifests, or json")
        .choices(["table", "yaml", "json"])
        .default("table"),
    )
    .addHelpText(
      "after",
      examples("show", "show --stack prod", "show --output yaml", "show --output json --stack staging"),
    )
    .action(async (flags: ShowFlags) => {
      const { showCommand } = await import("./commands/show.ts");
      done(await showCommand(flags, terminal));
    });
};

/** Adds `record`. */
export const addRecord: Adder = (program, terminal, done) => {
  program
    .command("record")
    .summary("look up a stack's network and write facts/STACK.json")
    .description(
      "Looks up the network of a stack with the program's own lookups and writes facts/STACK.json, for all the named stacks or " +
        "for none. Needs the Pulumi CLI and AWS credentials with the rights of a preview; asks no cluster and changes nothing " +
        "on AWS.",
    )
    .addOption(repeatable("--stack <name>", "the stack").makeOptionMandatory())
    .addHelpText("after", examples("record --stack staging"))
    .action(async (flags: RecordFlags) => {
      const { recordCommand } = await import("./commands/record.ts");
      done(await recordCommand(flags, terminal));
    });
};
