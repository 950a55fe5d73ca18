import { delimiter, join } from "node:path";
import { fencedBlocks, inlineCommands } from "../../support/markdown.ts";
import type { Outcome, RunOptions } from "../support/command.ts";

/** Where commands are run. */
export interface Place {
  run(command: string, args: readonly string[], options: RunOptions): Promise<Outcome>;
}

/** What a document leaves to its reader, or the environment lacks, and what is taken for it. */
export interface Substitution {
  /** Text in the document's commands. */
  readonly of: string;
  readonly by: string;
  readonly why: string;
}

/** What a command has to end with where that is not 0, by its first line. */
export type ExpectedStatuses = Readonly<Record<string, number>>;

/** The suite's PATH without the programs of its dependencies: its reader has to be told of them. */
const PATH = (process.env.PATH ?? "")
  .split(delimiter)
  .filter((folder) => !folder.endsWith(join("node_modules", ".bin")))
  .join(delimiter);

/**
 * A reader of documents who runs `sh` blocks with bash in a copy of the project, as they stand but for the declared
 * substitutions, and answers yes where Pulumi asks. What a block exports counts for the later ones.
 */
export class Walkthrough {
  readonly #place: Place;
  readonly #substitutions: readonly Substitution[];
  readonly #blocks: readonly string[];
  readonly #inline: readonly string[];
  readonly #exports: string[];
  readonly #run = new Set<string>();
  readonly #used = new Set<Substitution>();

  /**
   * @param substitutions each has to be needed
   * @param earlier a document that the reader has followed in the same shell before
   */
  constructor(
    document: string,
    place: Place,
    {
      substitutions = [],
      earlier,
    }: { readonly substitutions?: readonly Substitution[]; readonly earlier?: Walkthrough } = {},
  ) {
    this.#place = place;
    this.#substitutions = substitutions;
    this.#exports = earlier === undefined ? [] : [...earlier.#exports];
    this.#blocks = fencedBlocks(document, "sh").map(({ text }) => text);
    this.#inline = inlineCommands(document);
  }

  /**
   * Runs the block that starts with this line, command by command; throws unless each ends as expected.
   *
   * @returns what the commands printed, one after the other
   */
  async run(firstLine: string, expected: ExpectedStatuses = {}): Promise<string> {
    const [block, ...others] = this.#blocks.filter((text) => text.split("\n", 1)[0] === firstLine);
    if (block === undefined || others.length > 0) {
      throw new Error(`${others.length + (block === undefined ? 0 : 1)} blocks start with ${firstLine}, not one`);
    }
    this.#run.add(firstLine);
    return this.#runText(block, expected);
  }

  /** Runs a single command that the document has in a block or in its text. */
  async runLine(command: string, status = 0): Promise<string> {
    if (!this.#inline.includes(command) && !this.#blocks.some((text) => text.split("\n").includes(command))) {
      throw new Error(`the document has no command ${command}`);
    }
    return this.#runText(command, { [command]: status });
  }

  /** First lines of the blocks that were not run, and substitutions that nothing needed. */
  leftOver(): string[] {
    return [
      ...this.#blocks.map((text) => text.split("\n", 1)[0] ?? "").filter((line) => !this.#run.has(line)),
      ...this.#substitutions.filter((one) => !this.#used.has(one)).map((one) => `the substitution of ${one.of}`),
    ];
  }

  async #runText(text: string, expected: ExpectedStatuses): Promise<string> {
    const printed: string[] = [];
    const left = new Set(Object.keys(expected));
    for (const command of await this.#commandsIn(text)) {
      const script = this.#substitute(command);
      const { status, output } = await this.#bash("-o", "pipefail", "-c", [...this.#exports, script].join("\n"));
      if (script.startsWith("export ")) {
        this.#exports.push(script);
      }
      const [firstLine = ""] = command.split("\n");
      left.delete(firstLine);
      if (status !== (expected[firstLine] ?? 0)) {
        throw new Error(`${command} ended with ${status}, not ${expected[firstLine] ?? 0}:\n${output}`);
      }
      printed.push(output);
    }
    if (left.size > 0) {
      throw new Error(`no command of the block starts with ${[...left].join(" or ")}`);
    }
    return printed.join("");
  }

  /** The complete commands of a block: bash says where one ends. */
  async #commandsIn(text: string): Promise<string[]> {
    const commands: string[] = [];
    let command = "";
    for (const line of text.trimEnd().split("\n")) {
      command += line;
      const isComplete = !command.endsWith("\\") && (await this.#bash("-n", "-c", command)).status === 0;
      if (isComplete) {
        commands.push(command);
      }
      command = isComplete ? "" : `${command}\n`;
    }
    if (command !== "") {
      throw new Error(`bash cannot read ${command}`);
    }
    return commands;
  }

  #substitute(command: string): string {
    return this.#substitutions.reduce((text, substitution) => {
      if (text.includes(substitution.of)) {
        this.#used.add(substitution);
      }
      return text.replaceAll(substitution.of, () => substitution.by);
    }, command);
  }

  #bash(...args: string[]): Promise<Outcome> {
    return this.#place.run("bash", args, { env: { PATH, PULUMI_SKIP_CONFIRMATIONS: "true", NO_COLOR: "1" } });
  }
}
