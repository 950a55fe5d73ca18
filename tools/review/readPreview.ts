import type { PackFinding, Properties, ResourceState, StackPlan } from "./plan.ts";
import { isObject, resourceName, stackOfUrn } from "./plan.ts";
import { PlanBuilder, type Step } from "./planBuilder.ts";

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
export function readPreview(source: PreviewSource): StackPlan {
  const text = source.text.replace(/^\uFEFF/, "").trim();
  if (text === "") {
    throw new PreviewError(`${source.name} is empty; ${WANTED}`);
  }
  const whole = parseWhole(text);
  const plan =
    isObject(whole) && !isEvent(whole) ? readDigest(source, whole) : readEvents(source, parseEvents(source, text));
  return ofItsStack(plan, source);
}

/** A preview under another stack's name would be believed. */
function ofItsStack(plan: StackPlan, { name, stack }: PreviewSource): StackPlan {
  const [own] = plan.resources.flatMap(({ urn }) => stackOfUrn(urn) ?? []);
  if (stack !== undefined && own !== undefined && stack !== own && !stack.endsWith(`/${own}`)) {
    throw new PreviewError(`${name} is a preview of stack ${own}, not of ${stack}`);
  }
  return plan;
}

/** Between the events there may be lines for a person, such as of a policy pack that Pulumi Cloud requires. */
function parseEvents({ name }: PreviewSource, text: string): Properties[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const events = lines.flatMap((line, index) => {
    const event = parse(line);
    if (!isObject(event) && line.trimStart().startsWith("{")) {
      throw new PreviewError(`${name}, line ${index + 1}: ${quote(line)} is not JSON; ${WANTED}`);
    }
    return isObject(event) ? [event] : [];
  });
  if (events.length === 0) {
    throw new PreviewError(`${name}, line 1: ${quote(lines[0] ?? "")} is not JSON; ${WANTED}`);
  }
  return events;
}

/** One JSON value; a digest may have lines for a person before and after it, too. */
function parseWhole(text: string): unknown {
  return parse(text) ?? parse(text.slice(Math.max(text.search(/^\{$/m), 0), text.lastIndexOf("\n}") + 2));
}

function readDigest({ name, stack }: PreviewSource, digest: Properties): StackPlan {
  if (!Array.isArray(digest.steps) && !Array.isArray(digest.diagnostics) && !isObject(digest.changeSummary)) {
    throw new PreviewError(`${name} has neither steps nor diagnostics; ${WANTED}`);
  }
  const plan = new PlanBuilder();
  for (const step of list(digest.steps)) {
    plan.add(stepOf(step, step.oldState, step.newState));
  }
  for (const diagnostic of list(digest.diagnostics)) {
    addDiagnostic(plan, diagnostic);
  }
  plan.changes = numbers(digest.changeSummary);
  return plan.finish(stack, false, false);
}

function readEvents({ stack }: PreviewSource, events: readonly Properties[]): StackPlan {
  const plan = new PlanBuilder();
  for (const event of events) {
    if (isObject(event.resourcePreEvent)) {
      const metadata = fields(event.resourcePreEvent.metadata);
      plan.add(stepOf(metadata, metadata.old, metadata.new));
    } else if (isObject(event.policyEvent)) {
      addFinding(plan, event.policyEvent);
    } else if (isObject(event.policyRemediationEvent)) {
      addFinding(plan, { ...event.policyRemediationEvent, enforcementLevel: "remediate" });
    } else if (isObject(event.policyAnalyzeSummaryEvent)) {
      addJudging(plan, event.policyAnalyzeSummaryEvent, false);
    } else if (isObject(event.policyAnalyzeStackSummaryEvent)) {
      addJudging(plan, event.policyAnalyzeStackSummaryEvent, true);
    } else if (isObject(event.resOutputsEvent)) {
      plan.addOutputs(fields(event.resOutputsEvent.metadata));
    } else if (isObject(event.diagnosticEvent)) {
      addDiagnostic(plan, event.diagnosticEvent);
    } else if (isObject(event.summaryEvent)) {
      const { resourceChanges, PolicyPacks } = event.summaryEvent;
      plan.changes = numbers(resourceChanges);
      for (const [pack, version] of Object.entries(isObject(PolicyPacks) ? PolicyPacks : {})) {
        // `NAME|local|FOLDER` for a pack from a folder.
        plan.packs.add(packLabel(pack.split("|")[0] ?? pack, version));
      }
      if (event.summaryEvent.result === "failed" && plan.errors.length === 0) {
        plan.errors.push("the preview failed without a message");
      }
    } else if (isObject(event.errorEvent)) {
      plan.errors.push(text(event.errorEvent.error).trim());
    }
  }
  const isCutOff = !events.some((event) => isObject(event.summaryEvent));
  if (isCutOff) {
    plan.errors.push(...saidByPrograms(events));
  }
  if (isCutOff && plan.errors.length === 0) {
    // Deletions come last, so what is missing may be the worst of it.
    plan.errors.push("its events end before the summary, so it was cut off; preview again");
  }
  return plan.finish(stack, true, true);
}

/** Lines of one error, at most: the rest is where in whose code. */
const MOST_LINES = 5;

/** What a policy pack or a program printed on its stderr, such as why it can't be loaded, as one error; without the stack. */
function saidByPrograms(events: readonly Properties[]): string[] {
  const lines = events
    .map(({ diagnosticEvent }) => fields(diagnosticEvent))
    .filter(({ severity }) => severity === "info#err")
    .flatMap(({ message }) => plainText(text(message)).split(/\n+/))
    .map((line) => line.trim().replace(/^error: /, ""))
    .filter((line) => line !== "" && !line.startsWith("at "));
  return lines.length === 0 ? [] : [lines.slice(0, MOST_LINES).join("\n")];
}

function stepOf(step: Properties, before: unknown, after: unknown): Step {
  const urn = text(step.urn);
  const [old, fresh] = [isObject(before) ? before : undefined, isObject(after) ? after : undefined];
  return {
    operation: text(step.op),
    urn,
    type: text(fresh?.type ?? old?.type ?? step.type),
    before: old && stateOf(old),
    after: fresh && stateOf(fresh),
  };
}

function stateOf(state: Properties): ResourceState {
  return { inputs: fields(state.inputs), outputs: fields(state.outputs) };
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
    policies: new Set([...(known?.policies ?? []), ...texts(passed), ...texts(failed)]),
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
  const escapeCharacter = String.fromCharCode(27);
  return input
    .replace(/<\{%.*?%\}>/g, "")
    .split(escapeCharacter)
    .map((part, index) => (index === 0 ? part : part.replace(/^\[[0-9;]*[A-Za-z]/, "")))
    .join("")
    .trim();
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

function fields(value: unknown): Properties {
  return isObject(value) ? value : {};
}

function list(value: unknown): readonly Properties[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(text) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function numbers(value: unknown): Record<string, number> {
  return Object.fromEntries(
    Object.entries(fields(value)).flatMap(([key, count]) => (typeof count === "number" ? [[key, count]] : [])),
  );
}
