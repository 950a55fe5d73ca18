import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type ReviewVerdict, renderMarkdown, reviewStack } from "../../../tools/review/index.ts";
import { stableIds } from "../../e2e/review/recordings.ts";
import { recordedPlan } from "./previews.ts";

const CASES: readonly (readonly [name: string, verdict: ReviewVerdict, rows: number])[] = [
  ["first-deploy", "narrower", 0],
  ["no-change", "same reach", 0],
  ["dropped-except", "wider", 1],
  ["added-destination", "wider", 2],
  ["reordered", "same reach", 0],
  ["vpc-gained-cidr", "narrower", 1],
];

describe.each(CASES)("previews recorded from the real engine: %s", (name, verdict, rows) => {
  const reviews = ["staging", "prod"].map((stack) => reviewStack(recordedPlan(`${name}.${stack}.jsonl`)));

  it(`is "${verdict}" for both stacks`, () => {
    expect(reviews.map((review) => [review.stack, review.verdict])).toEqual([
      ["staging", verdict],
      ["prod", verdict],
    ]);
  });

  it(`has ${rows} rows of changes for each`, () => {
    expect(
      reviews.map(
        ({ subjects }) => subjects.filter(({ stage }) => stage === "change").flatMap((subject) => subject.rows).length,
      ),
    ).toEqual([rows, rows]);
  });

  it("gives the comment that is kept", async () => {
    const path = fileURLToPath(new URL(`golden/${name}.md`, import.meta.url));
    await expect(stableIds(`${renderMarkdown(reviews)}\n`)).toMatchFileSnapshot(path);
  });
});

describe("the row of a dropped except", () => {
  const [row] = reviewStack(recordedPlan("dropped-except.staging.jsonl")).subjects.flatMap(({ rows }) => rows);

  it("names the block, its size, a witness, and holds under both readings", () => {
    expect(row).toMatchObject({
      direction: "gained",
      destination: "100.64.0.0/10",
      names: ["shared address space (RFC 6598)"],
      addresses: 4_194_304n,
      witness: "100.64.0.1:443/tcp",
      before: "deny",
      after: "allow",
      semantics: ["vpc-cni", "kubernetes"],
    });
  });
});

it("reads the digest of a preview to the same rows as its events", () => {
  const rows = (name: string) => reviewStack(recordedPlan(name)).subjects.map((subject) => subject.rows);
  const anonymous = (value: unknown) =>
    JSON.stringify(value, (_, member) => (typeof member === "bigint" ? `${member}` : member)).replace(/vpc-\d/g, "vpc");
  expect(anonymous(rows("vpc-gained-cidr.digest.json"))).toBe(anonymous(rows("vpc-gained-cidr.staging.jsonl")));
});
