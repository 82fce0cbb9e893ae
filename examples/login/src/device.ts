const browsers = { "Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari" };
const systems = {
  iPhone: "iPhone",
  iPad: "iPad",
  Android: "Android",
  Windows: "Windows",
  "Mac OS X": "macOS",
  Linux: "Linux",
};

/** A user agent in words: as a hint to its owner, who may know it; nothing is decided by it. */
export const describeDevice = (userAgent = ""): string => {
  const find = (names: Readonly<Record<string, string>>): string =>
    Object.entries(names).find(([part]) => userAgent.includes(part))?.[1] ?? "Unknown";
  return `${find(browsers)} on ${find(systems)}`;
};
