/**
 * Reviews of previews: what a change lets the runner pods reach and no longer reach, for each stack. Pure: text in, text
 * out. `readPreview` → `reviewStack` or `reviewDrift` → `renderMarkdown`, `renderText`, `reviewJson`.
 */

export { type GuardrailRun, guardrailRun, unguarded } from "./guardrails.ts";
export { reviewJson } from "./json.ts";
export { COMMENT_LIMIT, commentMarker, type MarkdownOptions, renderMarkdown } from "./markdown.ts";
export { mergePlans } from "./mergePlans.ts";
export * from "./plan.ts";
export { PreviewError, type PreviewSource, readPreview } from "./readPreview.ts";
export { type ReviewOptions, reviewDrift, reviewStack } from "./reviewStack.ts";
export * from "./stackReview.ts";
export { renderText } from "./text.ts";
