import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openSeconds, readProbeLog } from "../../../tools/verify/outcomes.ts";

const LOG = `egress-probe start 100.25
egress-probe attempt gate 0 t2 connected 100.30 100.35 
egress-probe attempt gate 0 t3 timeout 100.30 102.31 
egress-probe attempt gate 0 t2 timeout 101.45 103.46 
egress-probe gates-done 103.50
egress-probe attempt hold 1 t1 connected 103.51 103.55 
egress-probe attempt hold 1 t2 unreachable 103.51 103.52 OTHER: connect: network is unreachable
egress-probe round 1 105.60
egress-probe attempt hold 2 t1 refused 106.60 106.65 
egress-probe round 2 108.70
egress-probe done 108.70
`;

describe("readProbeLog", () => {
  const log = readProbeLog(LOG);

  it("reads attempts with times since the start", () => {
    expect(log.attempts).toEqual([
      { target: "t1", outcome: "connected", begun: expect.closeTo(3.26), ended: expect.closeTo(3.3), said: "" },
      {
        target: "t2",
        outcome: "unreachable",
        begun: expect.closeTo(3.26),
        ended: expect.closeTo(3.27),
        said: "OTHER: connect: network is unreachable",
      },
      { target: "t1", outcome: "refused", begun: expect.closeTo(6.35), ended: expect.closeTo(6.4), said: "" },
    ]);
    expect(log).toMatchObject({ rounds: 2, gatesDone: true, isDone: true, strange: [] });
  });

  it("measures how long a new pod was open", () => {
    expect(openSeconds(log, "t2")).toBeCloseTo(1.2);
    expect(openSeconds(log, "t3")).toBeCloseTo(0.05);
    expect(openSeconds(log, "t1")).toBeUndefined();
  });

  it("leaves a line alone that is still being written", () => {
    const cut = LOG.slice(0, LOG.indexOf("connected 103") + 4);
    expect(readProbeLog(cut)).toMatchObject({ attempts: [], rounds: 0, gatesDone: true, isDone: false, strange: [] });
  });

  it.each([
    "/bin/sh: agnhost: not found",
    "egress-probe attempt hold 1 t1 wonderful 1.0 2.0 ",
    "egress-probe attempt hold 1 t1 connected soon later",
    "usage: probe connect",
  ])("keeps a strange line for the report and takes nothing from it: %s", (line) => {
    expect(readProbeLog(`${line}\n`)).toMatchObject({ attempts: [], gates: [], strange: [line] });
  });

  it("never invents an attempt, however a log is cut or mixed up", () => {
    const lines = LOG.split("\n").slice(0, -1);
    fc.assert(
      fc.property(fc.subarray(lines), fc.nat(LOG.length), (some, cut) => {
        const text = some
          .map((line) => `${line}\n`)
          .join("")
          .slice(0, cut);
        const { attempts, gates } = readProbeLog(text);
        expect(attempts.length + gates.length).toBe(
          text
            .split("\n")
            .slice(0, -1)
            .filter((line) => line.includes(" attempt ")).length,
        );
      }),
    );
  });
});
