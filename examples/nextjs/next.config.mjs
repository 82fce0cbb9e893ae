// The backend SDK opens databases and runs as it is, outside the bundle. Where it is installed from a registry
// `serverExternalPackages: ["@pawl/supertokens"]` says so; a package linked from this repository has to be named to webpack.
const external = ["@pawl/supertokens", "@pawl/supertokens/fetch"];

/** @type {import("next").NextConfig} */
export default {
  serverExternalPackages: ["@pawl/supertokens"],
  outputFileTracingRoot: new URL("../..", import.meta.url).pathname,
  webpack(config, { isServer }) {
    if (isServer) config.externals.push(Object.fromEntries(external.map((name) => [name, `import ${name}`])));
    return config;
  },
};
