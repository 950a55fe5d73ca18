import { github } from "./call.ts";
import { codeOwners, pullRequestBranch, requiredChecks } from "./repositoryFiles.ts";
import { type Answer, isReviewed, KINDS, type Organisation, type Part, roleArn, type Step } from "./step.ts";

/** The app GitHub Actions on github.com, as the API tells it of required checks (2026-12-01): nobody else can report one. */
const ACTIONS_APP = 15368;

interface Rule {
  readonly type: string;
  readonly prevent_self_review?: boolean;
  readonly reviewers?: readonly { readonly reviewer: { readonly id: number } }[];
}

/** The environments with their rules and variables. */
export function environments({ repository, stacks, reviewers = codeOwners() }: Organisation): Step {
  const asked = reviewers.map((reviewer, index) => ({
    type: reviewer.includes("/") ? "Team" : "User",
    id: `{{#REVIEWER_${index + 1}}}`,
  }));
  const parts = stacks.flatMap((stack) =>
    KINDS.flatMap((kind): Part[] => {
      const { name, config } = stack;
      const environment = kind === "deploy" ? name : `${name}-preview`;
      const path = `repos/${repository}/environments/${environment}`;
      const isDeploy = kind === "deploy";
      const gate = isDeploy && isReviewed(stack) ? asked : [];
      const policy = isDeploy ? { protected_branches: false, custom_branch_policies: true } : null;
      const variables = {
        [`AWS_${kind.toUpperCase()}_ROLE`]: roleArn(name, kind),
        AWS_REGION: config.aws.region,
        AWS_ACCOUNT_ID: "{{ACCOUNT}}",
      };
      return [
        {
          what: `environment ${environment} and its rules`,
          reads: github(path),
          picks: ({
            protection_rules = [],
            deployment_branch_policy = null,
          }: Answer & { protection_rules?: Rule[] }) => {
            const rules = protection_rules.filter(({ type }) => type === "required_reviewers");
            return {
              branches: deployment_branch_policy,
              reviewers: rules.flatMap(({ reviewers: found = [] }) => found.map(({ reviewer }) => reviewer.id)),
              othersOnly: rules.every(({ prevent_self_review }) => prevent_self_review === true),
            };
          },
          has: { branches: policy, ...(gate.length > 0 && { reviewers: gate.map(({ id }) => id), othersOnly: true }) },
          makes: [
            {
              github: "PUT",
              path,
              body: {
                deployment_branch_policy: policy,
                ...(gate.length > 0 && { reviewers: gate, prevent_self_review: true }),
              },
            },
          ],
        },
        ...(isDeploy
          ? [
              {
                what: `the only branch that deploys to ${environment}`,
                reads: github(`${path}/deployment-branch-policies`),
                picks: ({ branch_policies: found = [] }: { branch_policies?: { name: string; type?: string }[] }) =>
                  found.map(({ name: ref, type = "branch" }) => `${type} ${ref}`).join(", ") || undefined,
                has: `branch ${pullRequestBranch()}`,
                makes: [
                  {
                    github: "POST" as const,
                    path: `${path}/deployment-branch-policies`,
                    body: { name: pullRequestBranch(), type: "branch" },
                  },
                ],
              },
            ]
          : []),
        ...Object.entries(variables).map(([key, value]) => variable(path, key, value, environment)),
      ];
    }),
  );
  return {
    title: "GitHub environments",
    why: "A role trusts an environment, and the environment says who may use it: any pull request the previews' roles, one branch the deploy roles, and after the first stack only with an approval by somebody else. Private repositories have required reviewers with GitHub Enterprise only.",
    parts,
  };
}

/** A variable of the repository or, under its path, of an environment. */
export function variable(path: string, name: string, value: string, environment?: string): Part {
  return {
    what: `variable ${name}${environment === undefined ? "" : ` of ${environment}`}`,
    reads: github(`${path}/variables/${name}`),
    picks: (answer: Answer) => answer.value,
    has: value,
    makes: [{ github: "POST", path: `${path}/variables`, body: { name, value } }],
    changes: [{ github: "PATCH", path: `${path}/variables/${name}`, body: { value } }],
  };
}

/** The protection of the branch that is deployed. */
export function branch({ repository }: Organisation): Step {
  const name = pullRequestBranch();
  const path = `repos/${repository}/branches/${name}/protection`;
  const checks = requiredChecks().map((context) => ({ context, app_id: ACTIONS_APP }));
  const reviews = { required_approving_review_count: 1, require_code_owner_reviews: true, dismiss_stale_reviews: true };
  return {
    title: `The branch ${name}`,
    why: "Pull requests only, up to date, with the checks that every one of them gets and a review by .github/CODEOWNERS, in which your team has to stand: what is merged is what was previewed.",
    parts: [
      {
        what: `protection of ${name}`,
        reads: github(path),
        has: {
          required_status_checks: { strict: true, checks },
          required_pull_request_reviews: reviews,
          enforce_admins: { enabled: true },
          allow_force_pushes: { enabled: false },
          allow_deletions: { enabled: false },
        },
        makes: [
          {
            github: "PUT",
            path,
            body: {
              required_status_checks: { strict: true, checks },
              required_pull_request_reviews: reviews,
              enforce_admins: true,
              restrictions: null,
            },
          },
        ],
      },
    ],
  };
}
