import {
  compile,
  type Input,
  PORTLESS_PROTOCOLS,
  type Point,
  type Protocol,
  parseAddress,
  protocolsOf,
  type Semantics,
  verdict,
} from "../../../analysis/index.ts";
import { abortReasons } from "../aborts.ts";
import { answerLines, type LineKind, readPolicies } from "../answerLines.ts";
import type { CommandDefinition } from "../command.ts";
import { AGENT_OPTIONS, type SemanticsFlags, semanticsOption } from "../options.ts";
import type { Terminal } from "../terminal.ts";

/** Judges policy sets from stdin: `{id, policies, points, pod?, ipFamily?, nodeIp?, inventory?}` to `{id, verdicts}`, line by line. */
export const command = {
  description:
    "Reads JSON lines {id, policies, points: [{ip, protocol, port}], pod?, ipFamily?, nodeIp?} and writes " +
    "{id, verdicts}, {id, aborts: true, reasons} or {id, error}, in the same order (docs/cli.md).",
  options: [semanticsOption("kubernetes"), ...AGENT_OPTIONS],
  examples: [
    "evaluate < docs/examples/sets.jsonl",
    "evaluate --semantics vpc-cni --agent-version 1.2.3 < docs/examples/sets.jsonl",
  ],
  run: (terminal: Terminal, flags: SemanticsFlags) => answerLines(EVALUATION, flags, terminal),
} satisfies CommandDefinition;

const EVALUATION: LineKind = {
  members: ["policies", "points"],
  notOne: "Not a line to evaluate:",
  read: (line, setting) => {
    const policies = readPolicies(line.at("policies"));
    const points = readPoints(line.at("points"), setting.semantics);
    return () => {
      const analysis = compile(policies, setting);
      return analysis.aborts.length > 0
        ? { aborts: true, reasons: abortReasons(analysis) }
        : { verdicts: points.map((point) => verdict(analysis, point)) };
    };
  },
};

function readPoints(input: Input, semantics: Semantics): Point[] {
  if (input.value === undefined) {
    input.refuse("is missing; it is a list of {ip, protocol, port}");
  }
  const protocols = protocolsOf(semantics);
  return input.list().map((point) => readPoint(point.members(), protocols));
}

function readPoint(input: Input, protocols: readonly Protocol[]): Point {
  const [ip, { value: name }, port] = [input.at("ip"), input.at("protocol"), input.at("port")];
  const address = typeof ip.value === "string" ? parseAddress(ip.value) : undefined;
  if (address === undefined) {
    ip.wrong("must be an IPv4 or IPv6 address");
  }
  const protocol = protocols.find((known) => known === name);
  if (protocol === undefined) {
    input.at("protocol").wrong(`must be one of ${protocols.join(", ")} under these semantics`);
  }
  const isPortless = protocol !== undefined && PORTLESS_PROTOCOLS.includes(protocol);
  const number = isPortless ? (port.value ?? 0) : port.value;
  if (typeof number !== "number" || !Number.isInteger(number) || number < 0 || number > (isPortless ? 0 : 65535)) {
    port.wrong(isPortless ? `must be 0 or missing with ${name}` : "must be a number from 0 to 65535");
  }
  return { address: address ?? { family: "ipv4", value: 0n }, protocol: protocol ?? "TCP", port: Number(number) };
}
