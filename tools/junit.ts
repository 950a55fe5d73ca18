/** One test as CI systems show it: passed, unless it says otherwise. */
export interface TestCase {
  readonly suite: string;
  readonly name: string;
  /** What is wrong. */
  readonly failure?: string;
  /** Why it could not be decided. */
  readonly error?: string;
  readonly skipped?: string;
}

/**
 * Test cases as JUnit XML, each suite with its counts.
 *
 * @param name What ran.
 * @param program The program as the first part of each class name.
 * @param seconds How long it took, where somebody measured.
 */
export function junitXml(name: string, program: string, cases: readonly TestCase[], seconds?: number): string {
  const suites = [...new Set(cases.map(({ suite }) => suite))].map((suite) => {
    const own = cases.filter((testCase) => testCase.suite === suite);
    const count = (key: Outcome) => own.filter((testCase) => testCase[key] !== undefined).length;
    const attributes = `tests="${own.length}" failures="${count("failure")}" skipped="${count("skipped")}" errors="${count("error")}"`;
    const elements = own.map((testCase) => caseXml(testCase, program)).join("");
    return `  <testsuite name="${escapeXml(suite)}" ${attributes}>\n${elements}  </testsuite>\n`;
  });
  const time = seconds === undefined ? "" : ` time="${seconds}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${escapeXml(name)}"${time}>\n${suites.join("")}</testsuites>\n`;
}

const OUTCOMES = ["failure", "error", "skipped"] as const;
type Outcome = (typeof OUTCOMES)[number];

function caseXml(testCase: TestCase, program: string): string {
  const { suite, name } = testCase;
  const start = `    <testcase classname="${escapeXml(`${program}.${suite}`)}" name="${escapeXml(name)}"`;
  const outcome = OUTCOMES.find((each) => testCase[each] !== undefined);
  return outcome === undefined
    ? `${start}/>\n`
    : `${start}><${outcome} message="${escapeXml(testCase[outcome] ?? "")}"/></testcase>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** XML 1.0 has no control characters, not even as references; a line break in an attribute needs a reference. */
function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[&<>"']/g, (char) => ENTITIES[char] as string)
    .replace(/\r?\n/g, "&#10;")
    .replaceAll("\t", " ")
    .replace(/[\p{Cc}\ufffe\uffff]/gu, "\ufffd");
}
