import { CLEAN, type ExitCode, FINDING, INCONCLUSIVE, worst } from "../exitCodes.ts";
import { Refusal } from "../refusal.ts";
import { type Call, fill, make, type Surroundings, shell, type Values } from "./call.ts";
import type { Part, Step } from "./step.ts";

/** What is found of a part. `unknown`: it could not be asked. */
export interface Found {
  readonly state: "ok" | "missing" | "different" | "unknown";
  /** How it differs, or why it could not be asked; one sentence each. */
  readonly reasons: readonly string[];
}

const CODES: Readonly<Record<Found["state"], ExitCode>> = {
  ok: CLEAN,
  missing: FINDING,
  different: FINDING,
  unknown: INCONCLUSIVE,
};

/** How long what was just made may take to be seen, in milliseconds between the attempts: IAM answers from copies. */
const WAITS = [500, 1000, 2000, 4000];

/** The steps as a shell script for a reader who runs them by hand. */
export function setupScript(steps: readonly Step[]): string {
  return steps
    .map(({ title, why, parts }, index) => {
      const lines = parts.flatMap(({ makes, reads, sets }) =>
        makes === undefined
          ? sets === undefined
            ? []
            : [shell(reads, sets)]
          : makes.map((call, at) => shell(call, at === 0 ? sets : undefined)),
      );
      return [`# ${index + 1}. ${title}. ${why}`, ...lines, ""].join("\n");
    })
    .join("\n");
}

/**
 * Asks for every part; with `isApplied` also makes what is missing, reads it back, and stops at the first part that is not as
 * it should be. What is there and different is left to a person, with the command that changes it.
 */
export async function walkSteps(
  steps: readonly Step[],
  where: Surroundings,
  isApplied: boolean,
  tell: (line: string) => Promise<unknown>,
): Promise<ExitCode> {
  const values: Record<string, string> = {};
  const codes: ExitCode[] = [];
  for (const [index, { title, parts }] of steps.entries()) {
    await tell(`${index + 1}. ${title}`);
    const asked = isApplied ? new Map<Part, Promise<Found>>() : await lookAtOnce(parts, values, where);
    for (const part of parts) {
      const before = await (asked.get(part) ?? look(part, values, where));
      const isMade = isApplied && before.state === "missing" && part.makes !== undefined;
      const found = isMade ? await makePart(part, values, where) : before;
      await tell(lineOf(part, found, isMade && found.state === "ok" ? "made" : found.state));
      codes.push(CODES[found.state]);
      if (isApplied && found.state !== "ok") {
        const changes = found.state === "different" ? (part.changes ?? part.makes ?? []) : [];
        for (const call of changes) {
          await tell(`  To change it: ${shell(fill(call, values))}`);
        }
        const left = steps.slice(index + 1).map((step, at) => `${index + 2 + at}. ${step.title}`);
        await tell(`Stopped in step ${index + 1}. Steps before it are done. Not begun: ${left.join("; ") || "none"}.`);
        return CODES[found.state];
      }
    }
  }
  return worst(codes);
}

/** Asks for the parts of a step at once, as far as none sets what another needs. */
async function lookAtOnce(parts: readonly Part[], values: Record<string, string>, where: Surroundings) {
  const asked = new Map<Part, Promise<Found>>();
  for (const part of [...parts].sort((a, b) => Number(b.sets !== undefined) - Number(a.sets !== undefined))) {
    const found = look(part, values, where);
    asked.set(part, found);
    if (part.sets !== undefined) {
      await found;
    }
  }
  return asked;
}

async function makePart(part: Part, values: Record<string, string>, where: Surroundings): Promise<Found> {
  try {
    for (const [index, call] of (part.makes ?? []).entries()) {
      const answer = await make(call, values, where);
      if (index === 0 && part.sets !== undefined) {
        values[part.sets] = String(answer);
      }
    }
  } catch (error) {
    return unknown(error);
  }
  for (const wait of WAITS) {
    const found = await look(part, values, where);
    if (found.state === "ok") {
      return found;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
  return look(part, values, where);
}

async function look(part: Part, values: Record<string, string>, where: Surroundings): Promise<Found> {
  const { reads, picks, has, sets, makes } = part;
  let answer: unknown;
  try {
    // A key that isn't there yet can be asked for nothing.
    answer = isKnown(reads, values) ? await make(reads, values, where) : undefined;
  } catch (error) {
    return unknown(error);
  }
  if (answer === undefined) {
    return sets !== undefined && makes === undefined
      ? { state: "unknown", reasons: ["it is not there, or not for these credentials"] }
      : { state: "missing", reasons: [] };
  }
  if (sets !== undefined) {
    values[sets] = String(answer);
  }
  const is = picks === undefined ? answer : picks(answer as never);
  const differences = has === undefined ? [] : differencesOf(fill(has, values), is, "");
  const isMissing = differences.length > 0 && differences.every(({ isAbsent }) => isAbsent);
  return {
    state: isMissing ? "missing" : differences.length > 0 ? "different" : "ok",
    reasons: isMissing ? [] : differences.map(({ reason }) => reason),
  };
}

function isKnown(call: Call, values: Values): boolean {
  return !/\{\{\w+\}\}/.test(JSON.stringify(fill(call, values)));
}

function unknown(error: unknown): Found {
  if (error instanceof Refusal) {
    return { state: "unknown", reasons: [error.message] };
  }
  throw error;
}

interface Difference {
  readonly reason: string;
  /** Nothing stands where something should. */
  readonly isAbsent: boolean;
}

/** How a value lacks what it should have: of an object these members, of a list at least these. */
function differencesOf(should: unknown, is: unknown, path: string): Difference[] {
  const where = path === "" ? "" : `${path} `;
  if (is === undefined || is === null ? should !== is : false) {
    return [{ reason: `${where}is missing`, isAbsent: true }];
  }
  if (Array.isArray(should)) {
    const list: readonly unknown[] = Array.isArray(is) ? is : [];
    return should
      .filter((member) => !list.some((other) => differencesOf(member, other, "").length === 0))
      .map((member) => ({ reason: `${where}lacks ${brief(member)}`, isAbsent: false }));
  }
  if (typeof should === "object" && should !== null) {
    return Object.entries(should).flatMap(([key, member]) =>
      differencesOf(member, (is as Record<string, unknown>)[key], path === "" ? key : `${path}.${key}`),
    );
  }
  return is === should ? [] : [{ reason: `${where}is ${brief(is)}, not ${brief(should)}`, isAbsent: false }];
}

function brief(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 2000 ? `${text.slice(0, 2000)}…` : text;
}

function lineOf({ what }: Part, { reasons }: Found, state: string): string {
  return [`  ${state.padEnd(9)}  ${what}`, ...reasons.map((reason) => `             ${reason}`)].join("\n");
}
