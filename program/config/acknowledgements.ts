import {
  type ChangeAcknowledgement,
  type Acknowledgement as DatedAcknowledgement,
  POLICY_CHANGES,
  type RegionAcknowledgement,
} from "../../guardrails/acknowledgement.ts";
import type { Fields } from "./fields.ts";
import { REGION_KEYS, readRegion } from "./region.ts";
import { ACKNOWLEDGEMENTS, type Acknowledgement, type StackConfig } from "./stackConfig.ts";

const COMMON_KEYS = ["reason", "expires"] as const;

/** What a stack accepts. */
export type Accepted = Pick<StackConfig, "acknowledge" | "acknowledgedChange" | "acknowledgedReach">;

/**
 * The findings that a stack accepts, each as a reason or with a last day, and the private reach whose first deploy it
 * accepts. One whose last day has passed is a problem.
 *
 * @param today `YYYY-MM-DD`
 */
export function readAccepted(own: Fields, today: string): Accepted {
  const fields = own.object("acknowledge", [...ACKNOWLEDGEMENTS, "widening"]);
  const acknowledge = new Map<Acknowledgement, string>();
  let acknowledgedChange: DatedAcknowledgement | undefined;
  for (const name of ACKNOWLEDGEMENTS) {
    const word = fields && readFinding(fields, name, today);
    if (word !== undefined) {
      acknowledge.set(name, word.reason);
      acknowledgedChange = name === "policy-identity-change" ? word : acknowledgedChange;
    }
  }
  return {
    acknowledge,
    ...(acknowledgedChange && { acknowledgedChange }),
    acknowledgedReach: fields === undefined ? [] : readRegionAcknowledgements(fields, "widening"),
  };
}

function readFinding(fields: Fields, name: Acknowledgement, today: string): DatedAcknowledgement | undefined {
  if (fields.isText(name)) {
    const reason = fields.text(name, "the reason why this stack accepts it");
    return reason === undefined ? undefined : { name, reason };
  }
  if (!fields.isObject(name)) {
    return fields.has(name)
      ? fields.wrong(name, "must be the reason why this stack accepts it, or {reason: WHY, expires: YYYY-MM-DD}")
      : undefined;
  }
  const own = fields.object(name, COMMON_KEYS);
  const word = own && readCommon(name, own);
  return word?.expires !== undefined && word.expires < today
    ? own?.wrong(
        "expires",
        `it expired; today is ${today}. Remove what it accepts, or give a new date if the reason holds`,
      )
    : word;
}

/** Acknowledged regions, by the names that config gives them. */
export function readRegionAcknowledgements(own: Fields, member = "acknowledgements"): RegionAcknowledgement[] {
  return own.named(member, [...REGION_KEYS, ...COMMON_KEYS]).flatMap(([name, fields]) => {
    const word = readCommon(name, fields);
    const region = readRegion(fields);
    return word === undefined || region === undefined ? [] : [{ ...word, region }];
  });
}

/** Acknowledged changes to declared policies. */
export function readChangeAcknowledgements(own: Fields): ChangeAcknowledgement[] {
  return own.named("acknowledgements", ["policy", "change", ...COMMON_KEYS]).flatMap(([name, fields]) => {
    const word = readCommon(name, fields);
    const policy = fields.text("policy", "a policy as NAMESPACE/NAME");
    const change = fields.choice("change", POLICY_CHANGES);
    if (!fields.has("policy")) {
      fields.missing("policy", "the policy as NAMESPACE/NAME");
    }
    if (!fields.has("change")) {
      fields.missing("change", `what happens to it, one of ${POLICY_CHANGES.join(", ")}`);
    }
    return word === undefined || policy === undefined || change === undefined ? [] : [{ ...word, policy, change }];
  });
}

function readCommon(name: string, fields: Fields): DatedAcknowledgement | undefined {
  const reason = fields.text("reason", "why this is accepted");
  const expires = fields.text("expires", "the last day on which it counts, as YYYY-MM-DD");
  if (!fields.has("reason")) {
    fields.missing("reason", "why this is accepted");
  }
  if (!fields.has("expires")) {
    return fields.missing("expires", "the last day on which it counts, as YYYY-MM-DD");
  }
  // What YAML makes of a day without quotes.
  const day = expires?.replace(/T00:00:00(\.0+)?Z$/, "");
  if (day !== undefined && !isDay(day)) {
    return fields.wrong("expires", "must be a day as YYYY-MM-DD");
  }
  return reason === undefined || day === undefined ? undefined : { name, reason, expires: day };
}

function isDay(text: string): boolean {
  const time = Date.parse(text);
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
