/** The path of a Chromium executable: `PAWL_CHROMIUM`, or where packages put it. @throws Error with one line that says how to get it */
export const findChromium: () => string;
/** As `findChromium`, after installing Debian's package where that is allowed (root, apt-get). */
export const findOrInstallChromium: () => string;
