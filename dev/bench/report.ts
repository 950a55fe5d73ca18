import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { hasChromium, launch } from "../../test/browser/chromium.ts";
import { buildReport } from "../../tools/report/buildReport.ts";
import type { ReportData } from "../../tools/report/reportData.ts";
import { layout } from "../../tools/show/report/layout.ts";
import type { Benchmark } from "./index.ts";
import { exceptPolicy } from "./support/policies.ts";
import { timesOf } from "./support/times.ts";

const ROUNDS = 5;

/** Bars of the report: how long it may take to open, and how large it may be. */
const MOST_MILLISECONDS = 1000;
const MOST_BYTES = 1_000_000;

export const benchmark: Benchmark = {
  description: "the egress report in Chromium: from navigation until every view is drawn, and its size",
  async measure() {
    if (!hasChromium()) {
      return "NOT MEASURED: there is no Chromium.";
    }
    const folder = mkdtempSync(join(tmpdir(), "egress-bench-"));
    const browser = await launch();
    try {
      const rows = [];
      for (const count of [15, 1018]) {
        const html = await buildReport(dataOf(count));
        const file = join(folder, `${count}.html`);
        writeFileSync(file, html);
        const times = [];
        for (let round = 0; round <= ROUNDS; round++) {
          const page = await browser.newPage();
          await page.goto(pathToFileURL(file).href);
          await page.waitForSelector("html[data-ready]", { state: "attached" });
          const opened = await page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd");
          await page.close();
          // The first round warms the browser up.
          if (round > 0) {
            times.push(Number(opened));
          }
        }
        const { best, median } = timesOf(times);
        rows.push([
          `${count.toLocaleString("en-US")} excepts`,
          best.toFixed(0),
          median.toFixed(0),
          `<= ${MOST_MILLISECONDS}`,
          `${Math.ceil(Buffer.byteLength(html) / 1024)} KiB`,
          `< ${MOST_BYTES / 1000} kB`,
        ]);
      }
      return layout([["report", "best ms", "median ms", "bar", "size", "bar"], ...rows], "  ");
    } finally {
      await browser.close();
      rmSync(folder, { recursive: true });
    }
  },
};

/** A change of one `except` among many, in an IPv4 cluster. */
function dataOf(count: number): ReportData {
  return {
    title: "Benchmark",
    origin: "",
    source: { namespace: "keeperhub", labels: { app: "workflow-runner" } },
    names: [],
    pods: {},
    ipFamily: "ipv4",
    agent: { before: null, after: null },
    before: [exceptPolicy(count)],
    after: [exceptPolicy(count, 7)],
  };
}
