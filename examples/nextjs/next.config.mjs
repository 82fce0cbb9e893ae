// The backend SDK opens databases and runs as it is, outside the bundle. Where it is installed from a registry
// `serverExternalPackages: ["@pawl/node"]` says so; a package linked from this repository has to be named to webpack.
const external = ["@pawl/node", "@pawl/node/fetch"];

/** @type {import("next").NextConfig} */
export default {
  serverExternalPackages: ["@pawl/node"],
  outputFileTracingRoot: new URL("../..", import.meta.url).pathname,
  webpack(config, { isServer }) {
    if (isServer) config.externals.push(Object.fromEntries(external.map((name) => [name, `import ${name}`])));
    return config;
  },
};
