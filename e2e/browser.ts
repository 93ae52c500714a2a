/** A real browser: found, or installed from Debian's packages, or a sentence that says what to do. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

const KNOWN_PATHS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];
const FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"];

/** Starts a headless browser. Throws with the remedy where there is none and none can be installed. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: findBrowser() ?? installBrowser(), args: FLAGS });
}

/**
 * The page asks from time to time, as where no stream can be had. For a test that waits until nothing is being loaded: a
 * stream that stands is being loaded for ever.
 */
export const withoutStream = (page: Page) => page.route("**/v1/stream", (route) => route.abort());

/** TanStack asks again by this; without it, only the stream can bring anything new. */
export const withoutPace = (page: Page) => page.addInitScript("window.setInterval = () => 0");

function findBrowser(): string | undefined {
  const named = process.env.HOOKWELL_BROWSER;
  if (named && !existsSync(named)) throw new Error(`HOOKWELL_BROWSER names ${named}, which does not exist.`);
  return named ?? KNOWN_PATHS.find((path) => existsSync(path));
}

/** As root on Debian or Ubuntu: its own package. */
function installBrowser(): string {
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    execFileSync("apt-get", ["update", "-qq"], { env, stdio: "ignore" });
    execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"], {
      env,
      stdio: "ignore",
    });
    const path = findBrowser();
    if (path) return path;
  }
  throw new Error("The browser test needs Chromium or Chrome: install it, or name it in HOOKWELL_BROWSER.");
}
