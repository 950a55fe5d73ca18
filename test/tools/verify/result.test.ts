import { describe, expect, it } from "vitest";
import { parsePoint } from "../../../analysis/point.ts";
import { readProbeLog } from "../../../tools/verify/outcomes.ts";
import type { Finding, FindingLevel } from "../../../tools/verify/preflight/finding.ts";
import { conclude, type Ending, EXIT_CODES, judgeTargets } from "../../../tools/verify/result.ts";
import type { Target, Uncovered } from "../../../tools/verify/targets.ts";

function target(id: string, address: string, expected: Target["expected"]): Target {
  return {
    id,
    name: `target ${id}`,
    point: parsePoint(address),
    kind: "tcp",
    source: "named",
    expected,
    why: "so says rule 4",
  };
}

const TARGETS = [target("t1", "10.1.100.10:5432/tcp", "allow"), target("t2", "169.254.169.254:80/tcp", "deny")];

/** A log with two rounds in which each target meets what is given. */
function log(outcomes: Record<string, string>, gates = "") {
  const round = (number: number) =>
    Object.entries(outcomes)
      .map(([id, outcome]) => `egress-probe attempt hold ${number} ${id} ${outcome} 11.0 12.0 \n`)
      .join("");
  return readProbeLog(
    `egress-probe start 10.0\n${gates}${round(1)}egress-probe round 1 12.0\n${round(2)}egress-probe done 13.0\n`,
  );
}

const GOOD = {
  isControlHeld: false,
  runner: log({ t1: "connected", t2: "timeout" }, "egress-probe attempt gate 0 t2 timeout 11.3 13.3 \n"),
  control: log({ t1: "connected", t2: "connected" }),
};

function ending(
  changes: Partial<Ending> & { logs?: typeof GOOD; levels?: FindingLevel[]; required?: boolean } = {},
): Ending {
  const { logs = GOOD, levels = [], required, ...rest } = changes;
  const findings = levels.map((level): Finding => ({ check: "peers", level, text: `a ${level}`, remedy: "do it" }));
  const uncovered: Uncovered[] =
    required === undefined ? [] : [{ what: "rule 3", why: "no listener", isRequired: required }];
  return {
    policy: "keeperhub/p",
    semantics: "vpc-cni",
    seconds: 20,
    findings,
    uncovered,
    targets: judgeTargets({ targets: TARGETS, uncovered: [] }, logs, []),
    ...rest,
  };
}

describe("conclude", () => {
  it("is verified when everything is proved, and says for how long new pods were open", () => {
    expect(conclude(ending({ levels: ["ok", "note"], required: false }))).toMatchObject({
      status: "verified",
      summary: "2 of 2 targets as expected, 1 of them denied while the control gets through",
      openSeconds: expect.closeTo(1.3),
    });
  });

  it.each<[string, Parameters<typeof ending>[0], string, RegExp]>([
    [
      "a target reachable that must not be",
      { logs: { ...GOOD, runner: log({ t1: "connected", t2: "connected" }) } },
      "contradicted",
      /169\.254\.169\.254:80\/tcp.*expected to be denied, but the runner connects/,
    ],
    [
      "a required target denied",
      { logs: { ...GOOD, runner: log({ t1: "timeout", t2: "timeout" }) } },
      "contradicted",
      /5432.*expected to be allowed/,
    ],
    [
      "a finding against it, whatever the probes show",
      { levels: ["contradiction"] },
      "contradicted",
      /a contradiction/,
    ],
    [
      "a dead host",
      { logs: { ...GOOD, control: log({ t1: "connected", t2: "timeout" }) } },
      "inconclusive",
      /dead host/,
    ],
    [
      "an error in an attempt",
      { logs: { ...GOOD, runner: log({ t1: "error", t2: "timeout" }) } },
      "inconclusive",
      /1 of 2 .*failed for a reason of its own/,
    ],
    [
      "no attempt at all on a target",
      { logs: { ...GOOD, runner: log({ t2: "timeout" }) } },
      "inconclusive",
      /fewer than 2 attempts/,
    ],
    ["a rule that nothing tried", { required: true }, "inconclusive", /rule 3: no listener/],
    ["a doubt", { levels: ["doubt"] }, "inconclusive", /a doubt/],
    ["probes that did not finish", { failure: "the pod ended early" }, "inconclusive", /ended early/],
    [
      "no denial among the targets",
      { targets: judgeTargets({ targets: TARGETS.slice(0, 1), uncovered: [] }, GOOD, []) },
      "inconclusive",
      /no denial was proved/,
    ],
    ["a finding that stops", { levels: ["ok", "stop"], targets: [] }, "could not run", /a stop/],
    ["no result", { targets: [], failure: "the pod can't start" }, "could not run", /can't start/],
    ["nothing tried", { targets: [] }, "inconclusive", /no denial was proved/],
  ])("with %s", (_, changes, status, summary) => {
    const result = conclude(ending(changes));
    expect(result.status).toBe(status);
    expect(result.summary).toMatch(summary);
    expect(EXIT_CODES[result.status]).toBe({ contradicted: 1, inconclusive: 2, "could not run": 2 }[status]);
  });

  it("puts what contradicts before what is unknown", () => {
    const logs = {
      ...GOOD,
      runner: log({ t1: "timeout", t2: "timeout" }),
      control: log({ t1: "connected", t2: "timeout" }),
    };
    expect(conclude(ending({ logs, levels: ["doubt"] })).status).toBe("contradicted");
  });
});

describe("judgeTargets", () => {
  const plan = { targets: TARGETS, uncovered: [] };
  const accepted = [{ point: parsePoint("169.254.169.254:80/tcp"), reason: "hop limit 1" }];

  it("does not hold the silence of a control against the runner that a policy holds back too", () => {
    const silent = { ...GOOD, control: log({ t1: "timeout", t2: "timeout" }) };
    const verdicts = (logs: typeof GOOD) => judgeTargets(plan, logs, []).map(({ verdict }) => verdict);
    expect(verdicts(silent)).toEqual(["inconsistent", "inconclusive"]);
    expect(verdicts({ ...silent, isControlHeld: true })).toEqual(["allowed", "inconclusive"]);
    // What the runner reaches is seen all the same.
    const open = { ...silent, isControlHeld: true, runner: log({ t1: "connected", t2: "connected" }) };
    expect(judgeTargets(plan, open, [])[1]).toMatchObject({ verdict: "allowed", assessment: "contradicted" });
  });

  it("lets an accepted target stay unproved", () => {
    const logs = { ...GOOD, control: log({ t1: "connected", t2: "timeout" }) };
    const [, metadata] = judgeTargets(plan, logs, accepted);
    expect(metadata).toMatchObject({ assessment: "inconclusive", accepted: "hop limit 1" });
    // The other target is not a denial, so there is still no proof of any.
    expect(conclude(ending({ targets: judgeTargets(plan, logs, accepted) })).status).toBe("inconclusive");
  });

  it("never lets an accepted target hide what was seen", () => {
    const open = { ...GOOD, runner: log({ t1: "connected", t2: "connected" }) };
    expect(judgeTargets(plan, open, accepted)[1]).toMatchObject({ assessment: "contradicted" });
    const broken = { ...GOOD, runner: log({ t1: "connected", t2: "error" }) };
    expect(judgeTargets(plan, broken, accepted)[1]).not.toHaveProperty("accepted");
  });
});
