import { relative } from "node:path";
import type { RecordedFacts } from "../../../program/facts/recordedFacts.ts";
import { recordedFactsPath, writeRecordedFacts } from "../../../program/facts/recordedFactsFile.ts";
import { type Project, readProject } from "../../../program/project.ts";
import { CLEAN, type ExitCode } from "../../exitCodes.ts";
import { LookUpFailure, lookUpLive } from "../../record/lookUpLive.ts";
import type { CommandDefinition } from "../command.ts";
import { InconclusiveError } from "../errors.ts";
import { repeatable } from "../options.ts";
import { print, type Terminal } from "../terminal.ts";
import { chosenStacks } from "./chosenStacks.ts";

/** Writes `facts/STACK.json` from live lookups: for every chosen stack or, if one can't be looked up, for none. */
export const command = {
  description:
    "Looks up the network of a stack with the program's own lookups and writes facts/STACK.json, for all the named stacks or " +
    "for none. Needs the Pulumi CLI and AWS credentials with the rights of a preview; asks no cluster and changes nothing " +
    "on AWS.",
  options: [repeatable("--stack <name>", "the stack").makeOptionMandatory()],
  examples: ["record --stack staging"],
  run: runRecord,
} satisfies CommandDefinition;

async function runRecord(terminal: Terminal, { stack }: { readonly stack: readonly string[] }): Promise<ExitCode> {
  const project = await readProject();
  const found = [];
  for (const name of await chosenStacks(project, stack)) {
    found.push([name, await lookUp(project, name, terminal.now())] as const);
  }
  for (const [name, facts] of found) {
    const path = recordedFactsPath(project, name);
    const isNew = await writeRecordedFacts(path, facts);
    await print(
      terminal,
      `${relative(process.cwd(), path)}: ${isNew ? "written" : "the same network, with the time of today"}\n`,
    );
  }
  return CLEAN;
}

async function lookUp(project: Project, stack: string, now: Date): Promise<RecordedFacts> {
  try {
    return await lookUpLive(project, stack, now);
  } catch (error) {
    throw error instanceof LookUpFailure ? new InconclusiveError([error.message]) : error;
  }
}
