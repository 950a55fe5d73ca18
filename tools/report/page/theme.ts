import { byId } from "./dom.ts";

/** Follows the system until the reader chooses, then remembers the choice where the browser lets a file do so. */
export function startTheme(onChange: () => void): void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = byId("theme");
  let chosen = remembered();
  const apply = () => {
    const isDark = (chosen ?? (system.matches ? "dark" : "light")) === "dark";
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
    button.textContent = isDark ? "Light" : "Dark";
    button.setAttribute("aria-label", `Use ${isDark ? "light" : "dark"} colours`);
    onChange();
  };
  system.addEventListener("change", apply);
  button.addEventListener("click", () => {
    chosen = remembered(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    apply();
  });
  apply();
}

/** The choice, after it has been made where one is given. Where storage is closed, it lasts as long as the page. */
function remembered(choice?: string): string | undefined {
  try {
    if (choice !== undefined) {
      localStorage.setItem("egress-report-theme", choice);
    }
    return localStorage.getItem("egress-report-theme") ?? undefined;
  } catch {
    return choice;
  }
}
