// Where the demo's web server has the browser SDK: a page without a bundler imports it by its address.
export * from "@pawl/web";
