import { defined, type Input } from "../../analysis/input.ts";
import { isObject } from "../../analysis/plainObject.ts";
import {
  type ChangeAcknowledgement,
  type Acknowledgement as DatedAcknowledgement,
  POLICY_CHANGES,
  type RegionAcknowledgement,
} from "../../guardrails/acknowledgement.ts";
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
export function readAccepted(input: Input, today: string): Accepted {
  const own = input.object([...ACKNOWLEDGEMENTS, "widening"]);
  const findings = ACKNOWLEDGEMENTS.flatMap((name) => (own && readFinding(own.at(name), name, today)) ?? []);
  const acknowledgedChange = findings.find(({ name }) => name === "policy-identity-change");
  return {
    acknowledge: new Map(findings.map(({ name, reason }) => [name as Acknowledgement, reason])),
    ...defined({ acknowledgedChange }),
    acknowledgedReach: own === undefined ? [] : readRegionAcknowledgements(own.at("widening")),
  };
}

function readFinding(input: Input, name: Acknowledgement, today: string): DatedAcknowledgement | undefined {
  if (typeof input.value === "string") {
    const reason = input.text("the reason why this stack accepts it");
    return reason === undefined ? undefined : { name, reason };
  }
  if (input.isGiven && !isObject(input.value)) {
    return input.wrong("must be the reason why this stack accepts it, or {reason: WHY, expires: YYYY-MM-DD}");
  }
  const own = input.object(COMMON_KEYS);
  const word = own && readCommon(name, own);
  return word?.expires !== undefined && word.expires < today
    ? own
        ?.at("expires")
        .wrong(`it expired; today is ${today}. Remove what it accepts, or give a new date if the reason holds`)
    : word;
}

/** Acknowledged regions, by the names that config gives them. */
export function readRegionAcknowledgements(input: Input): RegionAcknowledgement[] {
  return input.named([...REGION_KEYS, ...COMMON_KEYS]).flatMap(([name, own]) => {
    const word = readCommon(name, own);
    const region = readRegion(own);
    return word === undefined || region === undefined ? [] : [{ ...word, region }];
  });
}

/** Acknowledged changes to declared policies, by the names that config gives them. */
export function readChangeAcknowledgements(input: Input): ChangeAcknowledgement[] {
  return input.named(["policy", "change", ...COMMON_KEYS]).flatMap(([name, own]) => {
    const word = readCommon(name, own);
    const policy = own.at("policy").required("the policy as NAMESPACE/NAME").text("a policy as NAMESPACE/NAME");
    const change = own
      .at("change")
      .required(`what happens to it, one of ${POLICY_CHANGES.join(", ")}`)
      .choice(POLICY_CHANGES);
    return word === undefined || policy === undefined || change === undefined ? [] : [{ ...word, policy, change }];
  });
}

function readCommon(name: string, own: Input): DatedAcknowledgement | undefined {
  const reason = own.at("reason").required("why this is accepted").text("why this is accepted");
  const lastDay = "the last day on which it counts, as YYYY-MM-DD";
  const expires = own.at("expires").required(lastDay).text(lastDay);
  // What YAML makes of a day without quotes.
  const day = expires?.replace(/T00:00:00(\.0+)?Z$/, "");
  if (day !== undefined && !isDay(day)) {
    return own.at("expires").wrong("must be a day as YYYY-MM-DD");
  }
  return reason === undefined || day === undefined ? undefined : { name, reason, expires: day };
}

function isDay(text: string): boolean {
  const time = Date.parse(text);
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
