import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildReport } from "../../tools/report/buildReport.ts";
import type { ReportData } from "../../tools/report/reportData.ts";
import { plannedPolicies } from "../../tools/review/plannedPolicies.ts";
import { recordedPlan } from "../tools/review/previews.ts";
import { launch } from "./chromium.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const { objects } = plannedPolicies(recordedPlan("added-destination.staging.jsonl"));
const CHANGE: ReportData = {
  title: "Egress of <workflow-runner>, staging & more",
  origin: "Preview of the stack staging",
  source: { namespace: "keeperhub", labels: { app: "workflow-runner" } },
  names: [
    { cidr: "10.1.100.0/24", name: "database subnet subnet-1" },
    { cidr: "10.1.0.0/16", name: "VPC vpc-1" },
  ],
  pods: { "pods app=redis in namespace keeperhub": "destination cache" },
  ipFamily: "ipv4",
  agent: { before: "1.3.1", after: "1.3.1" },
  ...objects,
};

/** `0.0.0.0/0` with a number of `except`s. */
function withExcepts(count: number): object {
  const except = Array.from({ length: count }, (_, index) => `${20 + (index >> 8)}.${index % 256}.7.0/24`);
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "many", namespace: "keeperhub" },
    spec: {
      podSelector: { matchLabels: { app: "workflow-runner" } },
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except } }] }],
    },
  };
}

describe("the report in Chromium", () => {
  const folder = mkdtempSync(join(tmpdir(), "egress-report-"));
  let browser: Browser;

  beforeAll(async () => {
    browser = await launch();
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Opens a report from a file, refusing every request for anything else, and collects complaints of the page. */
  async function open(data: ReportData, options: BrowserContextOptions = {}) {
    const path = join(folder, "report.html");
    writeFileSync(path, await buildReport(data));
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })).newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") {
        complaints.push(message.text());
      }
    });
    page.on("request", (request) => {
      if (!request.url().startsWith("file:")) {
        complaints.push(`asked for ${request.url()}`);
      }
    });
    await page.goto(pathToFileURL(path).href);
    await page.waitForSelector("html[data-ready]");
    return { page, path, complaints };
  }

  async function ask(page: Page, query: string): Promise<string> {
    await page.fill("#query", query);
    return (await page.locator("#answer").textContent()) ?? "";
  }

  it("needs no network and makes no error", async () => {
    const { page, complaints } = await open(CHANGE);
    expect(await page.title()).toBe("Egress of <workflow-runner>, staging & more");
    expect(complaints).toEqual([]);
  });

  it("can't be made to run what a name contains", async () => {
    const name = '</script><img src=x onerror="window.hit=1"><!--';
    const { page, complaints } = await open({ ...CHANGE, names: [{ cidr: "10.1.0.0/16", name }] });
    expect(await page.evaluate("window.hit")).toBeUndefined();
    expect(await page.locator("#blocks").textContent()).toContain(name);
    expect(complaints).toEqual([]);
  });

  it("is under 1 MB for 1,018 excepts, and says how soon it is open", async () => {
    const many = { ...CHANGE, before: [withExcepts(1017)], after: [withExcepts(1018)] };
    const { page, path } = await open(many);
    expect(statSync(path).size).toBeLessThan(1_000_000);
    expect(await page.locator("#changes tbody tr").count()).toBe(1);
    expect(await ask(page, "23.249.7.9:443")).toMatch(/Before.*allowed[\s\S]*After.*denied/);
    const opened = await page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd");
    console.info(`report with 1,018 excepts: ${Math.round(Number(opened))} ms to open, ${statSync(path).size} bytes`);
  });

  it.each([
    [
      "10.1.50.7:443/tcp",
      /Before, as specified and as enforced\s*denied[\s\S]*After, as specified and as enforced\s*allowed/,
    ],
    ["169.254.169.254:80", /EC2 instance metadata \(IMDS\)\) is denied by rule 4/],
    [
      "[fd00:ec2::254]:80",
      /After, as the VPC CNI enforces it\s*allowed[\s\S]*After, as Kubernetes specifies it\s*denied/,
    ],
    ["8.8.8.8", /8\.8\.8\.8:443\/tcp is allowed/],
    ["5432", /TCP 5432 is open to:[\s\S]*database subnet subnet-1: 10\.1\.100\.0\/24/],
    ["53/udp", /UDP 53 is open to:[\s\S]*pods k8s-app=kube-dns in namespace kube-system/],
    ["300.1.1.1:443", /has no address/],
  ])("answers %s in the page", async (query, answer) => {
    const { page } = await open(CHANGE);
    expect(await ask(page, query)).toMatch(answer);
  });

  it("shows before, after and the change, in the table, the graph, the map and the list", async () => {
    const { page } = await open(CHANGE);
    expect(await page.locator("#changes tbody tr").count()).toBe(2);
    expect(await page.locator(".edge.gained").count()).toBe(2);
    expect(await page.locator("#changes").textContent()).toContain("destination cache");
    expect(await page.locator("#graph").textContent()).toContain("destination cache");
    expect(await page.locator("#legend").textContent()).toContain("newly allowed");
    const block = page.locator("#blocks button", { hasText: "10.1.50.0/24" });
    expect(await block.textContent()).toContain("newly allowed");
    await page.locator("#sides label", { hasText: "Before" }).click();
    expect(await page.locator(".edge.gained").count()).toBe(0);
    expect(await page.locator("#legend").textContent()).not.toContain("newly allowed");
    expect(await page.locator(".edge", { hasText: "app=redis" }).count()).toBe(0);
    await page.locator("#sides label", { hasText: "After" }).click();
    expect(await page.locator(".edge", { hasText: "app=redis" }).count()).toBe(1);
  });

  it("explains the block under the pointer and follows the chosen port", async () => {
    const { page } = await open(CHANGE);
    await page.locator("#sides label", { hasText: "After" }).click();
    await page.locator("#blocks button", { hasText: "10.1.100.0/24" }).first().click();
    expect(await page.locator("#map-crumbs").textContent()).toContain("10.1.0.0/16");
    expect(await page.locator("#map-detail").textContent()).toMatch(/10\.1\.100\.0\/32[\s\S]*allowed: TCP 5432/);
    await page.selectOption("#ports", { label: "TCP 443" });
    expect(await page.locator("#map-detail").textContent()).toContain("does not allow the port");
    const box = await page.locator("#map").boundingBox();
    await page.mouse.move((box?.x ?? 0) + 2, (box?.y ?? 0) + 2);
    expect(await page.locator("#map-detail").textContent()).toContain("10.1.0.0/32");
  });

  it("paints the map as the analysis says", async () => {
    const { page } = await open({ ...CHANGE, before: null });
    const colourAt = (x: number, y: number) =>
      page.evaluate(
        `[...document.querySelector("canvas").getContext("2d").getImageData(${x}, ${y}, 1, 1).data].join()`,
      );
    // 224.0.0.0/4 and 240.0.0.0/4 fill the upper right; 16.0.0.0/4 is internet.
    const [multicast, internet, reserved] = await Promise.all([
      colourAt(640, 128),
      colourAt(384, 128),
      colourAt(900, 128),
    ]);
    expect(multicast).toBe(reserved);
    expect(multicast).not.toBe(internet);
  });

  it("works with the keyboard alone", async () => {
    const { page } = await open(CHANGE);
    await page.locator("#map").focus();
    const label = async () => page.locator("#map").getAttribute("aria-label");
    expect(await label()).toContain("0.0.0.0/16");
    await page.keyboard.press("ArrowRight");
    expect(await label()).toMatch(/0\.(1|3)\.0\.0\/16/);
    await page.keyboard.press("Enter");
    expect(await page.locator("#map-crumbs").textContent()).toContain("0.0.0.0/4");
    await page.keyboard.press("-");
    expect(await page.locator("#map-crumbs [aria-current]").textContent()).toBe("0.0.0.0/0");
    await page.locator("#sides input:checked").focus();
    await page.keyboard.press("ArrowRight");
    expect(await page.locator("#sides input:checked").getAttribute("value")).toBe("after");
    await page.locator("#tree summary").nth(1).focus();
    await page.keyboard.press("Enter");
    expect(await page.locator("#tree details details[open]").count()).toBe(1);
  });

  it("shows IPv6 as a tree whose blocks explain themselves", async () => {
    const { page } = await open({ ...CHANGE, before: null, ipFamily: null });
    const row = page.locator("#tree details details", { hasText: "fc00::/7" });
    expect(await row.locator("summary").first().textContent()).toMatch(/unique local \(RFC 4193, RFC 8190\)\s*denied/);
    await row.locator("summary").first().click();
    expect(await row.textContent()).toContain("except fc00::/7");
  });

  it("keeps the reader's choice of colours, and follows the system without one", async () => {
    const { page } = await open(CHANGE, { colorScheme: "dark" });
    const theme = () => page.evaluate("document.documentElement.dataset.theme");
    expect(await theme()).toBe("dark");
    await page.locator("#theme").click();
    expect(await theme()).toBe("light");
  });

  it("fits a phone without sideways scrolling", async () => {
    const { page } = await open(CHANGE, { viewport: { width: 360, height: 740 } });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
  });

  it.each<readonly [string, BrowserContextOptions]>([
    ["light", {}],
    ["dark", { colorScheme: "dark" }],
    ["on a phone", { viewport: { width: 390, height: 844 } }],
  ])("has no accessibility violation that axe finds: %s", async (_, options) => {
    const { page } = await open(CHANGE, options);
    await ask(page, "10.1.50.7:443");
    // The page's own policy forbids foreign scripts, so axe comes in through the debugger.
    await page.evaluate(AXE);
    const violations = await page.evaluate(
      `axe.run({ resultTypes: ["violations"] }).then(({ violations }) =>
        violations.map(({ id, nodes }) => id + ": " + nodes.map(({ target, failureSummary }) => target.join() + " " + failureSummary).join("; ")))`,
    );
    expect(violations).toEqual([]);
  });
});
