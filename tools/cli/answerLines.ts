import { describeProblem, type Fields, InputReader, ProblemsError } from "../../analysis/index.ts";
import { CLEAN, type ExitCode, USAGE_ERROR } from "../exitCodes.ts";
import { lineBatches } from "./input/jsonLines.ts";
import type { Json } from "./render/json.ts";
import { note, print, type Terminal } from "./terminal.ts";

/** One line of input: its members, and a reader that notes what is wrong with them. */
export interface LineInput {
  readonly fields: Fields;
  readonly reader: InputReader;
}

/**
 * Answers JSON lines one by one, in order: an object with an `id` becomes an object with the same `id`. A line that is
 * wrong is answered with `{"id", "error"}`, and the next one is read; only a line that is no JSON object makes the exit
 * code 3, because then the input as a whole is something else.
 *
 * @param known Members that a line may have. Others are carried along by whoever wrote the line and ignored, unless they
 *   differ from a known one only in case: `nodeIP` would else be a silent mistake.
 */
export async function answerLines(
  known: readonly string[],
  answer: (input: LineInput) => Readonly<Record<string, Json>>,
  terminal: Terminal,
): Promise<ExitCode> {
  let foreign = 0;
  for await (const batch of lineBatches(terminal.stdin())) {
    const answers = batch.map(({ number, text }) => {
      const fields = parseLine(text);
      if (typeof fields === "string") {
        foreign += 1;
        return { id: null, error: `line ${number}: ${fields}` };
      }
      const id = (fields.id ?? null) as Json;
      try {
        const reader = new InputReader();
        refuseLookalikes(fields, known, reader);
        return { id, ...answer({ fields, reader }) };
      } catch (error) {
        return { id, error: describe(error) };
      }
    });
    if (answers.length > 0) {
      const isRead = await print(terminal, answers.map((line) => `${JSON.stringify(line)}\n`).join(""));
      if (!isRead) {
        break;
      }
    }
  }
  if (foreign > 0) {
    note(terminal, `${foreign} ${foreign === 1 ? "line is" : "lines are"} no JSON object`);
  }
  return foreign > 0 ? USAGE_ERROR : CLEAN;
}

/** The members of the object, or what is wrong. */
function parseLine(text: string): Fields | string {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Fields)
      : "is no JSON object";
  } catch (error) {
    return `is no JSON: ${(error as Error).message}`;
  }
}

function refuseLookalikes(fields: Fields, known: readonly string[], reader: InputReader): void {
  for (const [key, value] of Object.entries(fields)) {
    const meant = known.find((name) => name !== key && name.toLowerCase() === key.toLowerCase());
    if (meant !== undefined) {
      reader.report(key, value, `is not a field; ${meant} is`);
    }
  }
}

function describe(error: unknown): string {
  if (error instanceof ProblemsError) {
    return error.problems.map(describeProblem).join("; ");
  }
  throw error;
}
