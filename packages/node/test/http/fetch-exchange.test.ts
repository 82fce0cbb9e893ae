import { expect, test } from "vitest";
import { FetchExchange } from "../../src/http/fetch-exchange.js";

test("an answer that cannot be copied, as of an upgrade or a failed request, is handed on as it is", () => {
  const exchange = new FetchExchange(new Request("http://localhost/"));
  exchange.appendCookie("a=1");
  const answer = Response.error();
  expect(exchange.applyTo(answer)).toBe(answer);
});
