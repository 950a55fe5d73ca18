import { describeProblem, type Problem, ProblemsError } from "../analysis/problems.ts";
import {
  conclusive,
  eksHazards,
  formatViolation,
  type GuardrailName,
  isolation,
  metadataEndpoints,
  privateReach,
  protection,
  requiredDestinations,
  type Situation,
  situationOf,
  sortViolations,
  union,
  type Violation,
  widening,
} from "../guardrails/index.ts";
import { readChangeAcknowledgements, readRegionAcknowledgements } from "../program/config/acknowledgements.ts";
import { Fields } from "../program/config/fields.ts";
import type { Report } from "./guardrailPolicy.ts";
import { DEPLOYED, readDeclaration } from "./readDeclaration.ts";
import { type DeployedPolicies, readDeployed } from "./readDeployed.ts";
import { holdsPolicies, policiesOf, type Resource, readPlan } from "./readPlan.ts";
import { readStack, type StackDeclaration, stackOf } from "./readStack.ts";

/** A policy's own config, as the engine gives it. */
type Config = Readonly<Record<string, unknown>>;

/** A guardrail, and how it reads its own config. */
interface Guardrail {
  /** Whether a single resource can be judged before the rest of the plan is known. */
  readonly alone: boolean;
  readonly configKeys: readonly string[];
  /** Notes problems with the config, or gives the question to put to a situation. */
  readonly prepare: (
    config: Fields,
    accepted: Declared["accepted"],
  ) => (situation: Situation, today: string) => Violation[];
}

const plain = (judge: (situation: Situation) => Violation[], alone: boolean): Guardrail => ({
  alone,
  configKeys: [],
  prepare: () => judge,
});

const GUARDRAILS: Readonly<Record<GuardrailName, Guardrail>> = {
  conclusive: plain(conclusive, true),
  "metadata-endpoints": plain(metadataEndpoints, true),
  "private-reach": plain(privateReach, true),
  isolation: plain(isolation, true),
  "required-destinations": plain(requiredDestinations, false),
  "eks-hazards": plain(eksHazards, true),
  union: plain(union, false),
  protection: {
    alone: true,
    configKeys: ["acknowledgements"],
    prepare: (config, accepted) => {
      const acknowledgements = [...readChangeAcknowledgements(config), ...accepted.changes];
      return (situation, today) => protection(situation, acknowledgements, today);
    },
  },
  widening: {
    alone: false,
    configKeys: ["acknowledgements"],
    prepare: (config, accepted) => {
      const acknowledgements = [...readRegionAcknowledgements(config), ...accepted.reach];
      return (situation, today) => widening(situation, acknowledgements, today);
    },
  },
};

/** Said by every guardrail, because each has a level of its own and none may pass by silence. */
const UNDECLARED: Report = {
  message: 'cannot conclude: the policy "declaration" is disabled, or its config has problems.',
  urn: undefined,
};

/** A declaration without mistakes, and what the cluster has now. */
interface Declared extends Pick<StackDeclaration, "declaration"> {
  readonly deployed: DeployedPolicies | undefined;
  /** What the stack's own config accepts. */
  readonly accepted: Pick<StackDeclaration, "changes" | "reach">;
}

/** What the policies of one run share: the declaration, and what has been said already. */
export class Verdicts {
  private readonly today: () => string;
  private declared: Declared | undefined;
  /** Whether the declaration of the run that goes on has been taken. */
  private hasTaken = false;
  private readonly reported = new Set<string>();
  /** Resources of which nothing could be concluded when they came. */
  private readonly undecided = new Set<string>();

  /** @param today the day as `YYYY-MM-DD` */
  constructor(today: () => string) {
    this.today = today;
  }

  /**
   * Takes the declaration of a run that begins, and says what is wrong with it: the one in the pack's config, or else the
   * one of the stack's own files.
   *
   * @param urn of any resource of the stack; `undefined` where the plan has none
   */
  async declare(config: Config, urn: string | undefined): Promise<Report[]> {
    this.reported.clear();
    this.undecided.clear();
    this.declared = undefined;
    this.hasTaken = true;
    const problems: Problem[] = [];
    const read = await declarationOf(config, urn, problems);
    const deployed = read?.deployed === undefined ? undefined : readDeployed(read.deployed, read.declaration, problems);
    if (read !== undefined && problems.length === 0) {
      const { declaration, changes, reach } = read;
      // Without a deployed state there is no new reach to accept.
      this.declared = { declaration, deployed, accepted: { changes, reach: deployed === undefined ? [] : reach } };
    }
    return problems.map(problemReport);
  }

  /** The same at the end of a run in which the stack itself did not come as a resource; else nothing is left to say. */
  async declareUnlessDone(config: Config, urn: string | undefined): Promise<Report[]> {
    const reports = this.hasTaken ? [] : await this.declare(config, urn);
    this.hasTaken = false;
    return reports;
  }

  /** Says what is wrong with a guardrail's own config. */
  checkConfig(name: GuardrailName, config: Config): Report[] {
    return this.tell(name, prepare(name, config).problems.map(problemReport));
  }

  /** Whether a guardrail judges a resource of this type as soon as it is known, before it is written. */
  judgesAlone(name: GuardrailName, type: string): boolean {
    return GUARDRAILS[name].alone && holdsPolicies(type);
  }

  judgeResource(name: GuardrailName, resource: Resource, config: Config): Report[] {
    const { judge, problems } = prepare(name, config, this.declared?.accepted);
    if (judge === undefined || this.declared === undefined) {
      return this.tell(name, judge === undefined ? problems.map(problemReport) : [UNDECLARED]);
    }
    const { declaration } = this.declared;
    const situation = situationOf({ declaration, planned: policiesOf(resource) }, "alone");
    const violations = sortViolations(judge(situation, this.today()));
    if (name === "conclusive" && violations.length > 0) {
      this.undecided.add(resource.urn);
    }
    return this.tell(name, violations.map(violationReport));
  }

  /** Whether a guardrail has nothing to compare the plan with. */
  isIdle(name: GuardrailName): boolean {
    return name === "widening" && this.declared !== undefined && this.declared.deployed === undefined;
  }

  judgePlan(name: GuardrailName, resources: readonly Resource[], config: Config): Report[] {
    const { judge, problems } = prepare(name, config, this.declared?.accepted);
    if (judge === undefined || this.declared === undefined) {
      return this.tell(name, judge === undefined ? problems.map(problemReport) : [UNDECLARED]);
    }
    const { declaration, deployed } = this.declared;
    const plan = readPlan(resources, declaration, deployed?.policies);
    const situation = situationOf({
      declaration,
      ...plan,
      ...(deployed && { deployed: deployed.policies }),
      opaque: [...plan.opaque, ...(deployed?.opaque ?? [])],
    });
    // What is unknown differs between a resource that comes and the same one in the plan; that it is does not.
    const violations = sortViolations(judge(situation, this.today())).filter(
      ({ resource = "" }) => name !== "conclusive" || !this.undecided.has(resource),
    );
    return this.tell(name, violations.map(violationReport));
  }

  /** Leaves out what was said when a resource came: a preview goes on from there to the whole plan. */
  private tell(name: GuardrailName, reports: readonly Report[]): Report[] {
    return reports.filter(({ message }) => {
      const key = `${name} ${message}`;
      const isNew = !this.reported.has(key);
      this.reported.add(key);
      return isNew;
    });
  }
}

/** With the clock of this machine, in UTC. */
export function createVerdicts(): Verdicts {
  return new Verdicts(() => new Date().toISOString().slice(0, 10));
}

/** What is declared; `undefined` if that noted problems. */
async function declarationOf(
  config: Config,
  urn: string | undefined,
  problems: Problem[],
): Promise<(StackDeclaration & { readonly deployed: string | undefined }) | undefined> {
  const stack = stackOf(urn);
  const isOwn = stack !== undefined && Object.keys(config).every((key) => key === "deployed");
  if (!isOwn) {
    const read = readDeclaration(config, problems);
    return read && { ...read, changes: [], reach: [] };
  }
  try {
    const deployed = new Fields("declaration", config, ["deployed"], problems).text("deployed", DEPLOYED);
    return { ...(await readStack(stack)), deployed };
  } catch (error) {
    if (!(error instanceof ProblemsError)) {
      throw error;
    }
    problems.push(...error.problems);
    return undefined;
  }
}

const NOTHING: Declared["accepted"] = { changes: [], reach: [] };

function prepare(name: GuardrailName, config: Config, accepted: Declared["accepted"] = NOTHING) {
  const problems: Problem[] = [];
  const { configKeys, prepare: read } = GUARDRAILS[name];
  const judge = read(new Fields(name, config, configKeys, problems), accepted);
  return { problems, judge: problems.length === 0 ? judge : undefined };
}

function problemReport(problem: Problem): Report {
  return { message: `config: ${describeProblem(problem)}`, urn: undefined };
}

function violationReport(violation: Violation): Report {
  // Only a resource of the plan has a URN; what is deployed is named in the message.
  const urn = violation.resource?.startsWith("urn:") ? violation.resource : undefined;
  return { message: formatViolation(violation), urn };
}
