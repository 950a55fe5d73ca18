import {
  type Acknowledgement,
  type ChangeAcknowledgement,
  POLICY_CHANGES,
  type RegionAcknowledgement,
} from "../guardrails/acknowledgement.ts";
import type { Fields } from "../program/config/fields.ts";
import { REGION_KEYS, readRegion } from "./readDestination.ts";

const COMMON_KEYS = ["reason", "expires"] as const;

/** Acknowledged regions, by the names that config gives them. */
export function readRegionAcknowledgements(own: Fields): RegionAcknowledgement[] {
  return own.named("acknowledgements", [...REGION_KEYS, ...COMMON_KEYS]).flatMap(([name, fields]) => {
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

function readCommon(name: string, fields: Fields): Acknowledgement | undefined {
  const reason = fields.text("reason", "why this is accepted");
  const expires = fields.text("expires", "the last day on which it counts, as YYYY-MM-DD");
  if (!fields.has("reason")) {
    fields.missing("reason", "why this is accepted");
  }
  if (!fields.has("expires")) {
    return fields.missing("expires", "the last day on which it counts, as YYYY-MM-DD");
  }
  if (expires !== undefined && !isDay(expires)) {
    return fields.wrong("expires", "must be a day as YYYY-MM-DD");
  }
  return reason === undefined || expires === undefined ? undefined : { name, reason, expires };
}

function isDay(text: string): boolean {
  const time = Date.parse(text);
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
