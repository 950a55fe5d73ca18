/**
 * Holds the engine against the slow oracles on many random policy sets:
 * `npm run agreement -- --sets 100000 --seed 1 --semantics kubernetes|vpc-cni [--ports-each 3]
 * [--agent current|legacy]`. One JSON line on stdout for each disagreement, shrunk to what is needed for it; progress and
 * the sum on stderr. Exit code 1 if there was any.
 */
import { parseArgs } from "node:util";
import type { Case } from "../test/oracle/arbitraries.ts";
import { casesFrom } from "../test/oracle/cases.ts";
import { compareChange, compareVerdicts, SEMANTICS_NAMES } from "../test/oracle/compare.ts";
import { minimise } from "../test/oracle/minimise.ts";

const PROGRESS_EVERY = 10_000;
/** Every so many sets, the count of a change between two sets is compared too. */
const CHANGE_EVERY = 10;

const { values } = parseArgs({
  options: {
    sets: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    semantics: { type: "string", default: "kubernetes" },
    "ports-each": { type: "string", default: "3" },
    agent: { type: "string" },
  },
});
const [sets, seed, portsEach] = [values.sets, values.seed, values["ports-each"]].map(Number) as [
  number,
  number,
  number,
];
const semantics = SEMANTICS_NAMES.find((name) => name === values.semantics);
if (semantics === undefined || ![sets, seed, portsEach].every(Number.isInteger)) {
  throw new RangeError(
    `--semantics is one of ${SEMANTICS_NAMES.join(", ")}; --sets, --seed and --ports-each are integers`,
  );
}

const startedAt = performance.now();
let done = 0;
let points = 0;
let changes = 0;
let disagreements = 0;
let previous: Case | undefined;
for (const subject of casesFrom(seed)) {
  if (done === sets) {
    break;
  }
  if (values.agent !== undefined && subject.agent !== values.agent) {
    continue;
  }
  done += 1;
  const { points: compared, disagreement } = compareVerdicts(subject, semantics, portsEach);
  points += compared;
  if (disagreement !== undefined) {
    disagreements += 1;
    // A set that the engine refuses is reported as it is: a smaller one might be refused for another reason.
    const isError = disagreement.oracle === "accepts";
    const smallest = isError
      ? subject
      : minimise(subject, (smaller) => {
          const { disagreement: still } = compareVerdicts(smaller, semantics, 65536);
          return still !== undefined && still.oracle !== "accepts";
        });
    const found = isError ? disagreement : compareVerdicts(smallest, semantics, 65536).disagreement;
    console.log(JSON.stringify({ semantics, seed, set: done, ...found, case: smallest }));
  }
  if (done % CHANGE_EVERY === 0 && previous !== undefined) {
    changes += 1;
    const wrong = compareChange(previous, subject.policies, semantics);
    if (wrong !== undefined) {
      disagreements += 1;
      console.log(JSON.stringify({ semantics, seed, set: done, ...wrong, before: previous, after: subject.policies }));
    }
  }
  previous = subject;
  if (done % PROGRESS_EVERY === 0 || done === sets) {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
    console.error(
      `${semantics} seed ${seed}: ${done} sets, ${points} points, ${changes} changes, ${disagreements} disagreements, ${seconds} s`,
    );
  }
}
process.exitCode = disagreements === 0 ? 0 : 1;
