/** A test that runs or reads blocks of a document, from the document itself. */
export interface BlockTest {
  readonly document: string;
  /** Language of the blocks. */
  readonly language: string;
  /** The test's file. */
  readonly test: string;
  /** `each`: every block that is there; `named`: those whose first line the test has. */
  readonly takes: "each" | "named";
}

const each = (test: string, language: string, ...documents: string[]): BlockTest[] =>
  documents.map((document) => ({ document, language, test, takes: "each" }));
const named = (test: string, ...documents: string[]): BlockTest[] =>
  documents.map((document) => ({ document, language: "sh", test, takes: "named" }));

/** Which test takes which blocks of which document. */
export const BLOCK_TESTS: readonly BlockTest[] = [
  ...each(
    "test/tools/cli/documents.test.ts",
    "console",
    ...["docs/assertions.md", "docs/cli.md", "docs/promotion.md", "docs/review.md", "docs/semantics.md", "README.md"],
  ),
  ...each("test/program/config/document.test.ts", "yaml", "docs/config.md"),
  ...each("test/docs.test.ts", "mermaid", "README.md"),
  ...each("test/package.test.ts", "sh", "docs/your-own-policies.md"),
  ...each("test/package.test.ts", "yaml", "docs/your-own-policies.md"),
  ...each("test/e2e-cluster/enforced.test.ts", "sh", "docs/verify.md"),
  ...each("test/policy-pack/docs.test.ts", "json", "docs/guardrails.md"),
  ...each("test/policy-pack/docs.test.ts", "text", "docs/guardrails.md"),
  ...each("test/tools/verify/targetsFile.test.ts", "yaml", "docs/verify.md"),
  // The first says what a refused deploy prints, the second what a refused preview does.
  ...each("test/e2e/documents/workflows.test.ts", "text", "docs/promotion.md"),
  ...each("test/policy-pack/ownStack.test.ts", "text", "docs/promotion.md"),
  ...each("test/e2e/documents/addAStack.test.ts", "sh", "docs/add-a-stack.md"),
  ...each("test/e2e/documents/addAStack.test.ts", "yaml", "docs/add-a-stack.md"),
  ...named("test/e2e/documents/adoption.test.ts", "docs/adoption.md"),
  ...named("test/e2e/documents/clone.test.ts", "docs/review.md", "README.md"),
  ...named("test/e2e/documents/workflows.test.ts", "docs/drift.md", "docs/guardrails.md", "docs/promotion.md"),
];

/** Files that run commands which stand in the text of a document and in no block. */
export const TEXT_TESTS: readonly string[] = [
  ".ci/run",
  "test/e2e-cluster/pipeline/eksAuthenticator.ts",
  "test/e2e/documents/adoption.test.ts",
  "test/e2e/documents/clone.test.ts",
  "test/e2e/documents/workflows.test.ts",
  "test/e2e/setup.test.ts",
  "test/workflows.test.ts",
  "test/package.test.ts",
];

/** Blocks by their first line and commands that no test runs from the document, each with the reason. */
export const NOT_RUN: Readonly<Record<string, string>> = {
  "node -e 0": "a figure's yardstick",
  "npm run --silent egress -- COMMAND ...": "says what the examples of the document stand for",
  "npm run --silent egress -- verify --stack staging":
    "test/e2e-cluster/enforced.test.ts runs it from the help, which has the context of the cluster, too",
  "gh api repos/OWNER/NAME --jq '\"repo:\\(.owner.login)@\\(.owner.id)/\\(.name)@\\(.id)\"'":
    "asks GitHub about the reader's repository",
  "kubectl get mutatingwebhookconfigurations": "no cluster of the tests has a webhook",
  "pulumi cancel --stack STACK":
    "frees a lock that no test leaves behind; test/e2e/deploy.test.ts shows that none is left",
  "npm run bench": "takes minutes, and what it prints is not asserted anywhere",
  "npm run egress -- explain, diff, regions, divergences, check, evaluate":
    "a list of names; docs/cli.md has an example of each",
};
