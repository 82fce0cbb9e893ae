declare module "@size-limit/esbuild" {
  const plugins: readonly object[];
  export = plugins;
}
declare module "@size-limit/file" {
  const plugins: readonly object[];
  export = plugins;
}
