import { describeProblem, Input, isObject, type Problem, ProblemsError } from "../../analysis/index.ts";
import { CLEAN, type ExitCode, USAGE_ERROR } from "../exitCodes.ts";
import { lineBatches } from "./input/jsonLines.ts";
import type { Json } from "./render/json.ts";
import { note, print, type Terminal } from "./terminal.ts";

/**
 * Answers JSON lines one by one, in order: an object with an `id` becomes an object with the same `id`. A line that is
 * wrong is answered with `{"id", "error"}`, and the next one is read; only a line that is no JSON object makes the exit
 * code 3, because then the input as a whole is something else.
 *
 * @param known Members that a line may have. Others are carried along by whoever wrote the line and ignored, unless they
 *   differ from a known one only in case: `nodeIP` would else be a silent mistake.
 * @param answer is given the line, and the list in which it notes what is wrong with it
 */
export async function answerLines(
  known: readonly string[],
  answer: (line: Input, problems: Problem[]) => Readonly<Record<string, Json>>,
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
        const problems: Problem[] = [];
        const line = new Input(fields, "", problems);
        refuseLookalikes(line, known);
        return { id, ...answer(line, problems) };
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
function parseLine(text: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : "is no JSON object";
  } catch (error) {
    return `is no JSON: ${(error as Error).message}`;
  }
}

function refuseLookalikes(line: Input, known: readonly string[]): void {
  for (const [key, value] of line.entries()) {
    const meant = known.find((name) => name !== key && name.toLowerCase() === key.toLowerCase());
    if (meant !== undefined) {
      value.wrong(`is not a field; ${meant} is`);
    }
  }
}

function describe(error: unknown): string {
  if (error instanceof ProblemsError) {
    return error.problems.map(describeProblem).join("; ");
  }
  throw error;
}
