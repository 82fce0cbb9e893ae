import { expect, it } from "vitest";
import { InFlight } from "../../src/server/in-flight.js";

interface Request {
  readonly name: string;
  place: number | undefined;
}

const request = (name: string): Request => ({ name, place: undefined });
const namesIn = (inFlight: InFlight<Request>): string[] => [...inFlight].map(({ name }) => name).toSorted();

it("holds what was added until it is taken out, in whatever order, and takes it out once", () => {
  const inFlight = new InFlight<Request>();
  const [first, middle, last, stranger] = [request("first"), request("middle"), request("last"), request("stranger")];
  for (const one of [first, middle, last]) inFlight.add(one);
  expect(inFlight.delete(stranger)).toBe(false);
  expect(namesIn(inFlight)).toStrictEqual(["first", "last", "middle"]);
  expect(inFlight.delete(first)).toBe(true);
  expect(inFlight.delete(first)).toBe(false);
  expect(namesIn(inFlight)).toStrictEqual(["last", "middle"]);
  expect(inFlight.delete(last)).toBe(true);
  inFlight.add(first);
  expect(namesIn(inFlight)).toStrictEqual(["first", "middle"]);
  expect(inFlight.delete(middle)).toBe(true);
  expect(inFlight.delete(first)).toBe(true);
  expect(inFlight.size).toBe(0);
});

it("may be emptied while it is looked through, and misses none of those that were there", () => {
  const inFlight = new InFlight<Request>();
  const names = ["a", "b", "c", "d", "e"];
  for (const name of names) inFlight.add(request(name));
  const seen: string[] = [];
  for (const one of inFlight) {
    seen.push(one.name);
    inFlight.delete(one);
  }
  expect(seen.toSorted()).toStrictEqual(names);
  expect(inFlight.size).toBe(0);
});
