import { stripVTControlCharacters } from "node:util";
import { membersOf } from "../../analysis/plainObject.ts";
import {
  isObject,
  objects,
  type PackFinding,
  type Properties,
  resourceName,
  type StackPlan,
  stackOfUrn,
  text,
} from "./plan.ts";
import { PlanBuilder } from "./planBuilder.ts";

/** A preview that can't be read. The message names the file, what was found and what is wanted. */
export class PreviewError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PreviewError";
  }
}

/** The text of a preview and where it comes from. */
export interface PreviewSource {
  /** What to call it in an error, a path as a rule. */
  readonly name: string;
  readonly text: string;
  /** The stack, where its name is not in the text because the preview failed before the first resource. */
  readonly stack?: string;
}

const WANTED =
  "expected the output of pulumi preview --json, with or without PULUMI_ENABLE_STREAMING_JSON_PREVIEW=1, or a file of engine events";

/**
 * Reads a preview: the digest of `pulumi preview --json` (one object with `steps`), or engine events (one object a line, as
 * `PULUMI_ENABLE_STREAMING_JSON_PREVIEW=1 pulumi preview --json` and `--event-log` write them). Seen with pulumi 3.250.
 *
 * @throws {PreviewError} for anything else.
 */
export function readPreview({ name, stack, text: input }: PreviewSource): StackPlan {
  const trimmed = input.replace(/^\uFEFF/, "").trim();
  if (trimmed === "") {
    throw new PreviewError(`${name} is empty; ${WANTED}`);
  }
  const whole = parseWhole(trimmed);
  const isDigest = isObject(whole) && !isEvent(whole);
  const events = isDigest ? eventsOfDigest(name, whole) : parseEvents(name, trimmed);
  const plan = planOf(events).finish(stack, !isDigest);
  const [own] = plan.resources.flatMap(({ urn }) => stackOfUrn(urn) ?? []);
  // A preview under another stack's name would be believed.
  if (stack !== undefined && own !== undefined && stack !== own && !stack.endsWith(`/${own}`)) {
    throw new PreviewError(`${name} is a preview of stack ${own}, not of ${stack}`);
  }
  return plan;
}

/** Between the events there may be lines for a person, such as of a policy pack that Pulumi Cloud requires. */
function parseEvents(name: string, input: string): Properties[] {
  const lines = input.split(/\r?\n/).filter((line) => line.trim() !== "");
  const refuse = (index: number): never => {
    throw new PreviewError(`${name}, line ${index + 1}: ${quote(lines[index] ?? "")} is not JSON; ${WANTED}`);
  };
  const events = lines.flatMap((line, index) => {
    const event = parse(line);
    return isObject(event) ? [event] : line.trimStart().startsWith("{") ? refuse(index) : [];
  });
  return events.length === 0 ? refuse(0) : events;
}

/** One JSON value; a digest may have lines for a person before and after it, too. */
function parseWhole(input: string): unknown {
  return parse(input) ?? parse(input.slice(Math.max(input.search(/^\{$/m), 0), input.lastIndexOf("\n}") + 2));
}

/** A digest as the events that say the same. */
function eventsOfDigest(name: string, { steps, diagnostics, changeSummary }: Properties): Properties[] {
  if (!Array.isArray(steps) && !Array.isArray(diagnostics) && !isObject(changeSummary)) {
    throw new PreviewError(`${name} has neither steps nor diagnostics; ${WANTED}`);
  }
  return [
    ...objects(steps).map(({ oldState, newState, ...step }) => ({
      resourcePreEvent: { metadata: { ...step, old: oldState, new: newState } },
    })),
    ...objects(diagnostics).map((diagnosticEvent) => ({ diagnosticEvent })),
    { summaryEvent: { resourceChanges: changeSummary } },
  ];
}

/** What each kind of event adds to the plan. */
const READERS: Readonly<Record<string, (plan: PlanBuilder, event: Properties) => void>> = {
  resourcePreEvent: (plan, { metadata }) => plan.addStep(membersOf(metadata)),
  resOutputsEvent: (plan, { metadata }) => plan.addOutputs(membersOf(metadata)),
  policyEvent: addFinding,
  policyRemediationEvent: (plan, event) => addFinding(plan, { ...event, enforcementLevel: "remediate" }),
  policyAnalyzeSummaryEvent: (plan, event) => addJudging(plan, event, false),
  policyAnalyzeStackSummaryEvent: (plan, event) => addJudging(plan, event, true),
  diagnosticEvent: addDiagnostic,
  errorEvent: (plan, { error }) => plan.errors.push(text(error).trim()),
  summaryEvent: addSummary,
};

function planOf(events: readonly Properties[]): PlanBuilder {
  const plan = new PlanBuilder();
  for (const event of events) {
    for (const [kind, read] of Object.entries(READERS)) {
      const content = event[kind];
      if (isObject(content)) {
        read(plan, content);
      }
    }
  }
  if (!events.some(({ summaryEvent }) => isObject(summaryEvent))) {
    plan.errors.push(...saidByPrograms(events));
    if (plan.errors.length === 0) {
      // Deletions come last, so what is missing may be the worst of it.
      plan.errors.push("its events end before the summary, so it was cut off; preview again");
    }
  }
  return plan;
}

function addSummary(plan: PlanBuilder, { resourceChanges, PolicyPacks, result }: Properties): void {
  plan.changes = Object.fromEntries(
    Object.entries(membersOf(resourceChanges)).filter(
      (entry): entry is [string, number] => typeof entry[1] === "number",
    ),
  );
  for (const [pack, version] of Object.entries(membersOf(PolicyPacks))) {
    // `NAME|local|FOLDER` for a pack from a folder.
    plan.packs.add(packLabel(pack.split("|")[0] ?? pack, version));
  }
  if (result === "failed" && plan.errors.length === 0) {
    plan.errors.push("the preview failed without a message");
  }
}

/** Lines of one error, at most: the rest is where in whose code. */
const MOST_LINES = 5;

/** What a policy pack or a program printed on its stderr, such as why it can't be loaded, as one error; without the stack. */
function saidByPrograms(events: readonly Properties[]): string[] {
  const lines = events
    .map(({ diagnosticEvent }) => membersOf(diagnosticEvent))
    .filter(({ severity }) => severity === "info#err")
    .flatMap(({ message }) => plainText(text(message)).split(/\n+/))
    .map((line) => line.trim().replace(/^error: /, ""))
    .filter((line) => line !== "" && !line.startsWith("at "));
  return lines.length === 0 ? [] : [lines.slice(0, MOST_LINES).join("\n")];
}

function addFinding(plan: PlanBuilder, event: Properties): void {
  const pack = packLabel(text(event.policyPackName), event.policyPackVersion);
  plan.packs.add(pack);
  const urn = text(event.resourceUrn);
  const finding: PackFinding = {
    pack,
    policy: text(event.policyName),
    severity: severityOf(event.enforcementLevel),
    resource: urn === "" ? "" : resourceName(urn),
    message: plainText(text(event.message)),
  };
  plan.findings.push(finding);
}

/** What the engine sums up of a pack's verdicts on a resource, and on the whole plan at the end (apitype/events.go, 3.250). */
function addJudging(plan: PlanBuilder, { policyPackName, passed, failed }: Properties, isWhole: boolean): void {
  const pack = text(policyPackName);
  const known = plan.judged.get(pack);
  plan.judged.set(pack, {
    policies: new Set([...(known?.policies ?? []), ...[passed, failed].flat().map(text)]),
    isWhole: isWhole || known?.isWhole === true,
  });
}

function packLabel(name: string, version: unknown): string {
  const label = text(version);
  return label === "" ? name : `${name} ${/^\d/.test(label) ? `v${label}` : label}`;
}

function severityOf(level: unknown): PackFinding["severity"] {
  return level === "mandatory" || level === "advisory" ? level : level === "remediate" ? "remediated" : "other";
}

function addDiagnostic(plan: PlanBuilder, diagnostic: Properties): void {
  // Policy findings come a second time as diagnostics, and their own events say more.
  const message = plainText(text(diagnostic.message));
  if (diagnostic.severity === "error") {
    plan.errors.push(message.replace(/^error: /, ""));
  } else if (diagnostic.severity === "warning") {
    plan.warnings.push(message.replace(/^warning: /, ""));
  }
}

/** Without the engine's colour directives (`<{%fg 1%}>`) and terminal escapes, and without blank lines around. */
function plainText(input: string): string {
  return stripVTControlCharacters(input.replace(/<\{%.*?%\}>/g, "")).trim();
}

function isEvent(value: Properties): boolean {
  return "sequence" in value && Object.keys(value).some((key) => key.endsWith("Event"));
}

function parse(input: string): unknown {
  try {
    return JSON.parse(input);
  } catch {
    return undefined;
  }
}

function quote(input: string): string {
  return JSON.stringify(input.length > 60 ? `${input.slice(0, 57)}...` : input);
}
