/** What one attempt met. */
export type Outcome =
  | "connected"
  /** Somebody answered that nobody listens: the packet got there. */
  | "refused"
  | "timeout"
  /** The pod's own network has no way there. */
  | "unreachable"
  /** The attempt itself failed. */
  | "error";

/** Every {@link Outcome}. */
export const OUTCOMES: readonly Outcome[] = ["connected", "refused", "timeout", "unreachable", "error"];

/** One attempt, with times in seconds since the probe's start. */
export interface Attempt {
  readonly target: string;
  readonly outcome: Outcome;
  readonly begun: number;
  readonly ended: number;
  /** What the program said, for outcomes that need it. */
  readonly said: string;
}

/** A probe's log, read. */
export interface ProbeLog {
  /** Attempts to meet silence on what must be denied; only those that met something new. */
  readonly gates: readonly Attempt[];
  /** Attempts on everything, by rounds. */
  readonly attempts: readonly Attempt[];
  /** Rounds that are complete. */
  readonly rounds: number;
  readonly gatesDone: boolean;
  readonly isDone: boolean;
  /** Lines that no probe writes: a wrong image or a broken shell shows itself here. */
  readonly strange: readonly string[];
}

const ATTEMPT = /^egress-probe attempt (gate|hold) \d+ (\S+) (\S+) (\d+\.?\d*) (\d+\.?\d*) ?(.*)$/;
const MARK = /^egress-probe (start|gates-done|round \d+|done) (\d+\.?\d*)$/;

/** Reads a probe's log, complete or not: a line that is still being written counts as absent. */
export function readProbeLog(text: string): ProbeLog {
  const lines = text.split("\n").slice(0, -1);
  const gates: Attempt[] = [];
  const attempts: Attempt[] = [];
  const strange: string[] = [];
  const marks = new Set<string>();
  let rounds = 0;
  let start = 0;
  for (const line of lines) {
    const mark = MARK.exec(line);
    const [, phase, target, outcome, begun, ended, said] = ATTEMPT.exec(line) ?? [];
    if (mark !== null) {
      const word = mark[1] as string;
      marks.add(word);
      rounds += word.startsWith("round") ? 1 : 0;
      start = word === "start" ? Number(mark[2]) : start;
    } else if (target !== undefined && OUTCOMES.includes(outcome as Outcome)) {
      (phase === "gate" ? gates : attempts).push({
        target,
        outcome: outcome as Outcome,
        begun: Number(begun) - start,
        ended: Number(ended) - start,
        said: said ?? "",
      });
    } else if (line.trim() !== "") {
      strange.push(line);
    }
  }
  return { gates, attempts, rounds, gatesDone: marks.has("gates-done"), isDone: marks.has("done"), strange };
}

/**
 * For how long a new pod could reach a target that must be denied, in seconds from the probe's first instruction:
 * until the first attempt that met silence. `undefined` where none did.
 */
export function openSeconds({ gates }: Pick<ProbeLog, "gates">, target: string): number | undefined {
  const closing = gates.find((attempt) => attempt.target === target && attempt.outcome === "timeout");
  return closing?.begun;
}
