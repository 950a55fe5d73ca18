import { createHash } from "node:crypto";
import { pageParts } from "./pageParts.ts";
import type { ReportData } from "./reportData.ts";

const PLACE = /\/\*\{\{(\w+)\}\}\*\/|"\{\{(data)\}\}"|\{\{(\w+)\}\}/g;

/**
 * Makes the report: one HTML file that needs nothing else, with the analysis itself inside. Its content security policy
 * allows only its own script and style, so it can't load or send anything.
 */
export async function buildReport(data: ReportData): Promise<string> {
  const { html, script, style } = await pageParts();
  const values: Readonly<Record<string, string>> = {
    title: escapeHtml(data.title),
    origin: escapeHtml(data.origin),
    style,
    script,
    scriptHash: sha256(script),
    styleHash: sha256(style),
    // Inside a script element only `<` can end the data or begin a comment.
    data: JSON.stringify(data).replaceAll("<", "\\u003c"),
  };
  // The marks stand in comments and quotes so that the page by itself is well-formed.
  return html.replace(PLACE, (_, commented?: string, quoted?: string, bare?: string) => {
    const name = commented ?? quoted ?? bare ?? "";
    return values[name] ?? "";
  });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
