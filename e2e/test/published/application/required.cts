import pawl = require("@pawl/node");
import adapter = require("@pawl/node/express");
import documented = require("@pawl/supertokens");

const { routes } = adapter.forExpress(pawl.createPawl({ storage: "memory:" }));
console.log(typeof routes(), typeof documented.createNewSession);
