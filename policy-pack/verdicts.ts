import { Input } from "../analysis/input.ts";
import type { Members } from "../analysis/plainObject.ts";
import { describeProblem, type Problem, ProblemsError } from "../analysis/problems.ts";
import {
  type Accepted,
  formatViolation,
  type GuardrailInput,
  type GuardrailName,
  judge,
  judgesAlone,
  type Situation,
  situationOf,
  type Violation,
} from "../guardrails/index.ts";
import { readChangeAcknowledgements, readRegionAcknowledgements } from "../program/config/acknowledgements.ts";
import type { Resource } from "./planResource.ts";
import { DEPLOYED, readDeclaration } from "./readDeclaration.ts";
import { type DeployedPolicies, readDeployed } from "./readDeployed.ts";
import { holdsPolicies, policiesOf, readPlan } from "./readPlan.ts";
import { readStack, type StackDeclaration, stackOf } from "./readStack.ts";

/** A message, and the resource that it is about. */
export interface Report {
  readonly message: string;
  readonly urn?: string | undefined;
}

/** A policy's own config, as the engine gives it. */
type Config = Members;

/** What a guardrail's own config accepts. */
type Acknowledged = Pick<StackDeclaration, "changes" | "reach">;

const NOTHING: Acknowledged = { changes: [], reach: [] };

/** The guardrails that have a config of their own, and how it is read. */
const CONFIGS: Readonly<Partial<Record<GuardrailName, (acknowledgements: Input) => Acknowledged>>> = {
  protection: (acknowledgements) => ({ ...NOTHING, changes: readChangeAcknowledgements(acknowledgements) }),
  widening: (acknowledgements) => ({ ...NOTHING, reach: readRegionAcknowledgements(acknowledgements) }),
};

/** Said by every guardrail, because each has a level of its own and none may pass by silence. */
const UNDECLARED: Report = {
  message: 'cannot conclude: the policy "declaration" is disabled, or its config has problems.',
};

/** A declaration without mistakes, what the stack's own config accepts, and what the cluster has now. */
interface Declared extends StackDeclaration {
  readonly deployed: DeployedPolicies | undefined;
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
  /** What was judged last, by its text: the engine gives every policy a copy of the same plan. */
  private last: { readonly input: string; readonly situation: Situation } | undefined;

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
    this.last = undefined;
    this.declared = undefined;
    this.hasTaken = true;
    const problems: Problem[] = [];
    const read = await declarationOf(config, urn, problems);
    const deployed = read?.deployed === undefined ? undefined : readDeployed(read.deployed, read.declaration, problems);
    if (read !== undefined && problems.length === 0) {
      // Without a deployed state there is no new reach to accept.
      this.declared = { ...read, deployed, reach: deployed === undefined ? [] : read.reach };
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
    return this.tell(name, readConfig(name, config).problems.map(problemReport));
  }

  /** Whether a guardrail judges a resource of this type as soon as it is known, before it is written. */
  judgesAlone(name: GuardrailName, type: string): boolean {
    return judgesAlone(name) && holdsPolicies(type);
  }

  judgeResource(name: GuardrailName, resource: Resource, config: Config): Report[] {
    return this.judge(name, config, "alone", () => ({ planned: policiesOf(resource) }));
  }

  /** Whether a guardrail has nothing to compare the plan with. */
  isIdle(name: GuardrailName): boolean {
    return name === "widening" && this.declared !== undefined && this.declared.deployed === undefined;
  }

  judgePlan(name: GuardrailName, resources: readonly Resource[], config: Config): Report[] {
    return this.judge(name, config, "plan", ({ declaration, deployed }) => {
      const plan = readPlan(resources, declaration, deployed?.policies);
      return {
        ...plan,
        ...(deployed && { deployed: deployed.policies }),
        opaque: [...plan.opaque, ...(deployed?.opaque ?? [])],
      };
    });
  }

  private judge(
    name: GuardrailName,
    config: Config,
    scope: Situation["scope"],
    read: (declared: Declared) => Omit<GuardrailInput, "declaration">,
  ): Report[] {
    const { acknowledged, problems } = readConfig(name, config);
    if (problems.length > 0 || this.declared === undefined) {
      return this.tell(name, problems.length > 0 ? problems.map(problemReport) : [UNDECLARED]);
    }
    const { declaration, changes, reach } = this.declared;
    const accepted: Accepted = {
      changes: [...acknowledged.changes, ...changes],
      reach: [...acknowledged.reach, ...reach],
      today: this.today(),
    };
    const situation = this.situationOf({ declaration, ...read(this.declared) }, scope);
    const violations = judge(name, situation, accepted);
    if (name === "conclusive" && scope === "alone") {
      for (const { resource = "" } of violations) {
        this.undecided.add(resource);
      }
    }
    // What is unknown differs between a resource that comes and the same one in the plan; that it is does not.
    const isTold = ({ resource = "" }: Violation) =>
      name === "conclusive" && scope === "plan" && this.undecided.has(resource);
    return this.tell(name, violations.filter((violation) => !isTold(violation)).map(violationReport));
  }

  private situationOf({ declaration, ...found }: GuardrailInput, scope: Situation["scope"]): Situation {
    const input = JSON.stringify([scope, found]);
    if (this.last?.input !== input) {
      this.last = { input, situation: situationOf({ declaration, ...found }, scope) };
    }
    return this.last.situation;
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
    return read && { ...read, ...NOTHING };
  }
  try {
    const deployed = new Input(config, "declaration", problems).at("deployed").text(DEPLOYED);
    return { ...(await readStack(stack)), deployed };
  } catch (error) {
    if (!(error instanceof ProblemsError)) {
      throw error;
    }
    problems.push(...error.problems);
    return undefined;
  }
}

function readConfig(name: GuardrailName, config: Config) {
  const problems: Problem[] = [];
  const read = CONFIGS[name];
  const own = new Input(config, name, problems);
  own.object(read === undefined ? [] : ["acknowledgements"]);
  return { problems, acknowledged: read?.(own.at("acknowledgements")) ?? NOTHING };
}

function problemReport(problem: Problem): Report {
  return { message: `config: ${describeProblem(problem)}` };
}

function violationReport(violation: Violation): Report {
  // Only a resource of the plan has a URN; what is deployed is named in the message.
  const urn = violation.resource?.startsWith("urn:") ? violation.resource : undefined;
  return { message: formatViolation(violation), urn };
}
