import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const missing =
  "Chromium is missing: install it (Debian: apt-get install chromium) or name its executable in PAWL_CHROMIUM.";

/** The path of a Chromium executable: `PAWL_CHROMIUM`, or where packages put it. @throws Error with one line that says how to get it */
export const findChromium = () => {
  const named = process.env.PAWL_CHROMIUM;
  if (named !== undefined && named !== "") {
    if (existsSync(named)) return named;
    throw new Error(`PAWL_CHROMIUM names ${named}, which does not exist.`);
  }
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Error(missing);
  return found;
};

/** As `findChromium`, after installing Debian's package where that is allowed (root, apt-get). */
export const findOrInstallChromium = () => {
  try {
    return findChromium();
  } catch (error) {
    const mayInstall = process.getuid?.() === 0 && existsSync("/usr/bin/apt-get") && !process.env.PAWL_CHROMIUM;
    if (!mayInstall) throw error;
    console.error("Installing Chromium from Debian's packages, for the browser tests …");
    const apt = (...args) =>
      spawnSync("apt-get", args, {
        stdio: ["ignore", "ignore", "inherit"],
        env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      });
    apt("update", "-qq");
    apt("install", "-y", "-qq", "--no-install-recommends", "chromium");
    return findChromium();
  }
};
