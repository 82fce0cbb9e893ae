// Packages with one change each. A proof that takes one of them for the real one proves nothing.
import { register } from "node:module";

/**
 * What is broken, in which built file, and the text that stands there and instead.
 * @typedef {{ what: string, file: string, from: string, to: string }} Mutant
 */

const hooks = `
let name, packages, mutants;
export const initialize = (data) => ({ name, packages, mutants } = data);
const indexIn = (url) => new RegExp("[?]" + name + "=(\\\\d+)$").exec(url ?? "")?.[1];
export const resolve = async (specifier, context, next) => {
  const resolved = await next(specifier, context);
  const index = indexIn(context.parentURL);
  return index !== undefined && packages.some((one) => resolved.url.includes("/packages/" + one + "/dist/"))
    ? { ...resolved, url: resolved.url + "?" + name + "=" + index }
    : resolved;
};
export const load = async (url, context, next) => {
  const loaded = await next(url, context);
  const mutant = mutants[indexIn(url)];
  if (mutant === undefined || !url.split("?")[0].endsWith("/" + mutant.file)) return loaded;
  const { what, file, from, to } = mutant;
  const text = String(loaded.source);
  if (text.split(from).length !== 2) throw new Error(file + " does not hold once what is to be broken: " + what);
  return { ...loaded, source: text.replace(from, () => to) };
};`;

/**
 * Gives packages with one of the changes; with the index after the last: none, as a control.
 * @param {string} name of this set of changes
 * @param {{ packages: readonly string[], mutants: readonly Mutant[] }} set in which packages they are
 * @returns {(index: number, path: string) => Promise<any>} imports a built file of one of the packages
 */
export const createBreaker = (name, { packages, mutants }) => {
  let isRegistered = false;
  return (index, path) => {
    if (!isRegistered)
      register(`data:text/javascript,${encodeURIComponent(hooks)}#${name}`, { data: { name, packages, mutants } });
    isRegistered = true;
    return import(new URL(`../../packages/${path}?${name}=${index}`, import.meta.url).href);
  };
};
